#pragma once

// Chooses a node for a pod. Pure: the same state gives the same choice.

#include <string>
#include <vector>

#include "scheduler/cluster_state.h"
#include "scheduler/pod_affinity.h"
#include "scheduler/volume_binding.h"

namespace stead::scheduler {

struct Choice {
  std::string node;                 // empty: none
  std::vector<ClaimChoice> claims;  // to settle before binding
  // Why there is none: "0/3 nodes are available: 3 Insufficient cpu. preemption: …".
  std::string failure;
  // Whose changes could make a difference, besides nodes and pods that leave them.
  bool waits_for_storage = false;
  bool waits_for_pods = false;
  // Where the next search should begin, so that all nodes get their turn.
  std::string next_first;
};

// How many nodes that would do are enough to choose from: all up to 100, then a share that falls from 50 % to 5 % with
// their number, as kube-scheduler's percentageOfNodesToScore. A search through thousands for every pod buys nothing.
size_t candidates_enough(size_t nodes);

// Looks at nodes in the order of their names, from `first` on, around to it.
Choice choose_node(const PodInfo& pod, const ClusterState& cluster, const StorageView& storage,
                   const NamespaceLabels& namespaces, const std::string& first = {});

// Whether the scheduler has to look for a node: none yet, ours by schedulerName, no gates, not ended.
bool wants_node(const Object& pod, std::string_view scheduler_name);

}  // namespace stead::scheduler
