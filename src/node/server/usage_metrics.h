#pragma once

// What the node's containers use, as monitoring reads it from a kubelet: /metrics/resource, /metrics/cadvisor and
// /metrics. Prometheus' text form. Pure.

#include <string>
#include <vector>

#include "base/clock.h"
#include "node/runtime/runtime.h"

namespace stead::node {

// CPU and memory of containers, pods and their sum.
std::string resource_metrics(const std::vector<ContainerUsage>& usages, WallTime now);
// CPU and memory of containers, by cAdvisor's names.
std::string container_metrics(const std::vector<ContainerUsage>& usages, WallTime now);
// How many pods and containers run.
std::string kubelet_metrics(const std::string& node_name, const std::vector<ContainerUsage>& usages);

}  // namespace stead::node
