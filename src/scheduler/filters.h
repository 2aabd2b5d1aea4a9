#pragma once

// Filters that look at one node alone. Pure.

#include "scheduler/cluster_state.h"
#include "scheduler/verdict.h"

namespace stead::scheduler {

Verdict filter_unschedulable(const PodInfo& pod, const NodeInfo& node);
Verdict filter_node_name(const PodInfo& pod, const NodeInfo& node);
Verdict filter_taints(const PodInfo& pod, const NodeInfo& node);
Verdict filter_node_affinity(const PodInfo& pod, const NodeInfo& node);
Verdict filter_host_ports(const PodInfo& pod, const NodeInfo& node);
Verdict filter_resources(const PodInfo& pod, const NodeInfo& node);

// All of them, in this order; the first that rejects decides.
Verdict filter_node(const PodInfo& pod, const NodeInfo& node);

}  // namespace stead::scheduler
