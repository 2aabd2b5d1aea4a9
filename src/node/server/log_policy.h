#pragma once

// Which instance's log answers a request: pure, from what the pod's status shows of the container (the kubelet's
// validateContainerLogStatus).

#include "base/result.h"
#include "node/logs/log_stream.h"
#include "node/pods/pod_status.h"

namespace stead::node {

// `attempt` is the newest instance's number, `usual_reason` why a container waits that gives no reason of its own.
// The result's directory is left empty. kBadRequest: there is no log yet.
Result<LogSource> choose_log(const ContainerReport& report, uint32_t attempt, bool previous,
                             const std::string& container, const std::string& pod, const std::string& usual_reason);

}  // namespace stead::node
