#pragma once

// Required and preferred affinity between pods. Made once for a pod over the whole cluster, then asked per node. Pure.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "object/selector.h"
#include "scheduler/cluster_state.h"
#include "scheduler/verdict.h"

namespace stead::scheduler {

// The labels of a namespace (for namespaceSelector); null for an unknown one.
using NamespaceLabels = std::function<const Value&(std::string_view ns)>;

class PodAffinity {
 public:
  PodAffinity(const PodInfo& pod, const ClusterState& cluster, const NamespaceLabels& namespaces);

  Verdict filter(const NodeInfo& node) const;
  // Sum of the weights of preferred terms that hold on the node, preferred anti-affinity counting against.
  int64_t score(const NodeInfo& node) const;
  // Whether pods coming or going can change the verdicts.
  bool constrains() const { return !affinity_.empty() || !anti_affinity_.empty() || !forbidden_.empty(); }

 private:
  struct Term {
    std::string topology_key;
    object::LabelSelector selector;
    std::function<bool(std::string_view ns)> covers;
    int64_t weight = 0;
    std::set<std::string, std::less<>> values;  // of topology_key, where a matching pod runs
    bool matches_any = false;                   // some pod of the cluster matches
  };
  static Term read_term(const Value& term, const Object& pod, const NamespaceLabels& namespaces);
  static std::vector<Term> read_terms(const Value& terms, const Object& pod, const NamespaceLabels& namespaces);
  static bool matches(const Term& term, const Object& pod);
  void gather(const ClusterState& cluster);
  void gather_forbidden(const ClusterState& cluster, const NamespaceLabels& namespaces);

  const PodInfo& pod_;
  std::vector<Term> affinity_;
  std::vector<Term> anti_affinity_;
  std::vector<Term> preferred_;
  // (topology key, value) pairs where a running pod's anti-affinity keeps this one away.
  std::set<std::pair<std::string, std::string>> forbidden_;
};

}  // namespace stead::scheduler
