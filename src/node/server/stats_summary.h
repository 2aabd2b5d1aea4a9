#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "node/runtime/runtime.h"
#include "object/value.h"

namespace stead::node {

// The kubelet's stats/v1alpha1 Summary, as far as the runtime knows it: CPU and memory of containers, added up for
// their pods and the node. Pure.
object::Value stats_summary(const std::string& node_name, const std::vector<ContainerUsage>& usages, WallTime now);

}  // namespace stead::node
