#pragma once

// Which pods would have to leave, and where, for a pod of higher priority (the "Pod Priority and Preemption" concept
// page). Pure.
//
// Of each node where that could help, all pods of lower priority leave in thought; as many of them as possible, the
// most important first, come back, those whose budget would be broken before all others. Of the nodes that remain the
// one with the fewest broken budgets wins, then the least important victims.

#include <functional>
#include <string>
#include <vector>

#include "scheduler/cluster_state.h"
#include "scheduler/pod_filters.h"

namespace stead::scheduler {

// The PodDisruptionBudgets of a namespace; null where the API has none.
using DisruptionBudgets = std::function<std::vector<ObjectPtr>(std::string_view ns)>;

struct Preemption {
  std::string node;                 // empty: nobody can make way
  std::vector<PodInfoPtr> victims;  // the most important first; some may be on their way out already
  // Why there is none: "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
  std::string failure;
};

// `resolvable` are the nodes that rejected the pod for reasons which leaving pods could remove, in order of preference;
// all others of `node_count` nodes could not be helped.
Preemption choose_victims(const PodFilters& filters, const ClusterState& cluster,
                          const std::vector<const NodeInfo*>& resolvable, const DisruptionBudgets& budgets);

// Why the pod may not make others leave; empty: it may. One that has made room already waits for it.
std::string not_eligible_to_preempt(const PodInfo& pod, const ClusterState& cluster);

}  // namespace stead::scheduler
