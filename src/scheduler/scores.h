#pragma once

// Ranks nodes that all would do. Pure.

#include <vector>

#include "scheduler/cluster_state.h"
#include "scheduler/pod_affinity.h"
#include "scheduler/topology_spread.h"

namespace stead::scheduler {

// The best of `candidates` (not empty): low use, evenly over resources, preferences of the pod, far from the other
// pods of its controller. Equal scores go to the node with fewer pods, then by name, so that the choice is
// reproducible.
const NodeInfo* best_node(const PodInfo& pod, const std::vector<const NodeInfo*>& candidates,
                          const PodAffinity& affinity, const TopologySpread& spread);

}  // namespace stead::scheduler
