#pragma once

// Required and preferred affinity between pods. Made once for a pod over the whole cluster, then asked per node. Pure.

#include <map>
#include <string>
#include <vector>

#include "scheduler/affinity_term.h"
#include "scheduler/cluster_state.h"
#include "scheduler/verdict.h"

namespace stead::scheduler {

class PodAffinity {
 public:
  // All outlive this.
  PodAffinity(const PodInfo& pod, const ClusterState& cluster, const NamespaceLabels& namespaces);

  Verdict filter(const NodeInfo& node) const;
  // The weights of preferred terms, of this pod and of those that run already, times the pods they meet in the node's
  // topologies; anti-affinity counts against. A required affinity of a running pod counts as a wish of weight 1.
  int64_t score(const NodeInfo& node) const;
  // Whether pods coming or going can change the verdicts.
  bool constrains() const { return !affinity_.empty() || !anti_affinity_.empty() || !forbidden_.empty(); }
  // Goes on as if `other` had come to the node (`change` 1) or left it (-1). What score() says stays as it was.
  void adjust(const PodInfo& other, const NodeInfo& node, int change);

 private:
  // Pods met, by value of a topology key.
  using Counts = std::map<std::string, int64_t, std::less<>>;
  struct Counted {
    const AffinityTerm* term;
    Counts met;
  };
  void count(const PodInfo& other, const NodeInfo& node, int change);
  void count_symmetric(const PodInfo& other, const NodeInfo& node, int change);
  void gather_scores(const ClusterState& cluster);
  bool matches_all_required(const Object& pod) const;
  bool starts_group(const NodeInfo& node) const;

  const PodInfo& pod_;
  const NamespaceLabels& namespaces_;
  std::vector<Counted> affinity_;
  std::vector<Counted> anti_affinity_;
  // By topology key: where running pods' anti-affinity keeps this one away.
  std::map<std::string, Counts> forbidden_;
  std::map<std::string, Counts> scores_;
};

}  // namespace stead::scheduler
