#pragma once

// spec.topologySpreadConstraints (KEP-895, KEP-3022, KEP-3094): made once for a pod over the whole cluster, then asked
// per node. Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "object/selector.h"
#include "scheduler/cluster_state.h"
#include "scheduler/verdict.h"

namespace stead::scheduler {

class TopologySpread {
 public:
  // Both outlive this.
  TopologySpread(const PodInfo& pod, const ClusterState& cluster);

  // DoNotSchedule.
  Verdict filter(const NodeInfo& node) const;
  // ScheduleAnyway: how crowded the node's domains are; fewer is better. nullopt for a node without the topology keys,
  // which comes after all others.
  std::optional<double> crowding(const NodeInfo& node) const;
  bool constrains() const { return !hard_.empty() || !soft_.empty(); }
  bool prefers() const { return !soft_.empty(); }
  // Goes on as if `other` had come to the node (`change` 1) or left it (-1). What crowding() says stays as it was.
  void adjust(const PodInfo& other, const NodeInfo& node, int change);

 private:
  struct Constraint {
    std::string topology_key;
    object::LabelSelector selector;
    int64_t max_skew = 1;
    int64_t min_domains = 1;
    bool honors_affinity = true;
    bool honors_taints = false;
    bool matches_self = false;
    std::map<std::string, int64_t, std::less<>> counts;  // by value of the key, eligible domains only
    int64_t minimum = 0;

    void find_minimum();
  };
  Constraint read(const Value& document) const;
  void count(std::vector<Constraint>& constraints, const ClusterState& cluster) const;
  bool counts(const Constraint& constraint, const PodInfo& other) const;

  const PodInfo& pod_;
  std::vector<Constraint> hard_;
  std::vector<Constraint> soft_;
};

}  // namespace stead::scheduler
