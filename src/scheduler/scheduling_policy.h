#pragma once

// Chooses a node for a pod. Pure: the same state gives the same choice.

#include <map>
#include <string>
#include <vector>

#include "scheduler/affinity_term.h"
#include "scheduler/cluster_state.h"
#include "scheduler/preemption.h"
#include "scheduler/volume_binding.h"

namespace stead::scheduler {

struct Choice {
  std::string node;                 // empty: none
  std::vector<ClaimChoice> claims;  // to settle before binding
  // Why there is none: "0/3 nodes are available: 3 Insufficient cpu. preemption: …".
  std::string failure;
  // Where room is being made for the pod, and who has to leave for it.
  std::string nominated_node;
  std::vector<PodInfoPtr> victims;
  // Whose changes could make a difference, besides nodes and pods that leave them.
  bool waits_for_storage = false;
  bool waits_for_pods = false;
  // Where the next search should begin, so that all nodes get their turn.
  std::string next_first;
};

// How many nodes that would do are enough to choose from: all up to 100, then a share that falls from 50 % to 5 % with
// their number, as kube-scheduler's percentageOfNodesToScore. A search through thousands for every pod buys nothing.
size_t candidates_enough(size_t nodes);

// What a choice is made over, besides the pod. All outlive the call.
struct Surroundings {
  const ClusterState& cluster;
  const StorageView& storage;
  const NamespaceLabels& namespaces;
  const DisruptionBudgets& budgets;
};

// The node where room was made for the pod, if that is one that will do; else the best of those looked at, in the order
// of their names, from `first` on, around to it.
Choice choose_node(const PodInfo& pod, const Surroundings& surroundings, const std::string& first = {});

// "2 Insufficient cpu, 1 Too many pods": reasons with how many nodes gave them, in the order of the texts, as upstream
// sorts them.
std::string histogram(const std::map<std::string, size_t>& reasons);
// "0/3 nodes are available: <why>."
std::string nodes_available_text(size_t nodes, const std::string& why);

// Whether the scheduler has to look for a node: none yet, ours by schedulerName, no gates, not ended.
bool wants_node(const Object& pod, std::string_view scheduler_name);

}  // namespace stead::scheduler
