#pragma once

// spec.topologySpreadConstraints (KEP-895): made once for a pod over the whole cluster, then asked per node. Pure.

#include <map>
#include <string>
#include <vector>

#include "object/selector.h"
#include "scheduler/cluster_state.h"
#include "scheduler/verdict.h"

namespace stead::scheduler {

class TopologySpread {
 public:
  TopologySpread(const PodInfo& pod, const ClusterState& cluster);

  Verdict filter(const NodeInfo& node) const;
  // Matching pods in the node's domains of soft constraints: fewer is better.
  int64_t crowding(const NodeInfo& node) const;
  bool constrains() const { return !constraints_.empty(); }

 private:
  struct Constraint {
    std::string topology_key;
    object::LabelSelector selector;
    int64_t max_skew = 1;
    int64_t min_domains = 1;
    bool hard = true;
    bool honors_affinity = true;
    bool honors_taints = false;
    bool matches_self = false;
    std::map<std::string, int64_t, std::less<>> counts;  // by value of the key, eligible domains only
    int64_t minimum = 0;
  };
  void count(Constraint& constraint, const ClusterState& cluster) const;

  const PodInfo& pod_;
  std::vector<Constraint> constraints_;
};

}  // namespace stead::scheduler
