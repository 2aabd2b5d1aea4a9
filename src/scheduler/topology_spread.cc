#include "scheduler/topology_spread.h"

#include <algorithm>
#include <cmath>

#include "scheduler/filters.h"

namespace stead::scheduler {
namespace {

const Value* domain_of(const NodeInfo& node, const std::string& key) {
  return node.node ? node.node->metadata().at("labels").find(key) : nullptr;
}

}  // namespace

TopologySpread::TopologySpread(const PodInfo& pod, const ClusterState& cluster) : pod_(pod) {
  for (const Value& document : pod.pod->spec().at("topologySpreadConstraints").items()) {
    bool soft = document.at("whenUnsatisfiable").as_string() == "ScheduleAnyway";
    (soft ? soft_ : hard_).push_back(read(document));
  }
  count(hard_, cluster);
  count(soft_, cluster);
}

TopologySpread::Constraint TopologySpread::read(const Value& document) const {
  Constraint constraint;
  constraint.topology_key = document.at("topologyKey").as_string();
  constraint.max_skew = document.at("maxSkew").as_int(1);
  constraint.min_domains = document.at("minDomains").as_int(1);
  constraint.honors_affinity = document.at("nodeAffinityPolicy").as_string() != "Ignore";
  constraint.honors_taints = document.at("nodeTaintsPolicy").as_string() == "Honor";
  constraint.selector = read_selector_for(document, *pod_.pod);
  constraint.matches_self = constraint.selector.matches(pod_.pod->metadata().at("labels"));
  return constraint;
}

bool TopologySpread::counts(const Constraint& constraint, const PodInfo& other) const {
  return other.pod->ns() == pod_.pod->ns() && !other.pod->deleting() &&
         constraint.selector.matches(other.pod->metadata().at("labels"));
}

void TopologySpread::count(std::vector<Constraint>& constraints, const ClusterState& cluster) const {
  if (constraints.empty()) return;
  for (const auto& [name, node] : cluster.nodes()) {
    // A node without one of the keys is in no domain of any.
    bool in_domains = std::all_of(constraints.begin(), constraints.end(), [&node = node](const Constraint& one) {
      return domain_of(node, one.topology_key) != nullptr;
    });
    if (!in_domains) continue;
    bool affine = filter_node_affinity(pod_, node).ok();
    bool tolerated = filter_taints(pod_, node).ok();
    for (Constraint& one : constraints) {
      if ((one.honors_affinity && !affine) || (one.honors_taints && !tolerated)) continue;
      int64_t& here = one.counts[std::string(domain_of(node, one.topology_key)->as_string())];
      for (const auto& [key, other] : node.pods) here += counts(one, *other) ? 1 : 0;
    }
  }
  for (Constraint& one : constraints) one.find_minimum();
}

void TopologySpread::Constraint::find_minimum() {
  minimum = 0;
  // Fewer domains than asked for: the missing ones count as empty.
  if (static_cast<int64_t>(counts.size()) < min_domains || counts.empty()) return;
  auto least = std::min_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; });
  minimum = least->second;
}

void TopologySpread::adjust(const PodInfo& other, const NodeInfo& node, int change) {
  for (Constraint& one : hard_) {
    const Value* domain = domain_of(node, one.topology_key);
    if (domain == nullptr || !counts(one, other)) continue;
    auto found = one.counts.find(domain->as_string());
    if (found == one.counts.end()) continue;
    found->second += change;
    one.find_minimum();
  }
}

Verdict TopologySpread::filter(const NodeInfo& node) const {
  for (const Constraint& one : hard_) {
    const Value* domain = domain_of(node, one.topology_key);
    if (domain == nullptr) {
      return Verdict::rejects_for_good("node(s) didn't match pod topology spread constraints (missing required label)");
    }
    auto found = one.counts.find(domain->as_string());
    int64_t here = found == one.counts.end() ? 0 : found->second;
    if (here + (one.matches_self ? 1 : 0) - one.minimum > one.max_skew) {
      return Verdict::rejects("node(s) didn't match pod topology spread constraints");
    }
  }
  return Verdict::fits();
}

std::optional<double> TopologySpread::crowding(const NodeInfo& node) const {
  double sum = 0;
  for (const Constraint& one : soft_) {
    const Value* domain = domain_of(node, one.topology_key);
    if (domain == nullptr) return std::nullopt;
    auto found = one.counts.find(domain->as_string());
    double here = found == one.counts.end() ? 0 : static_cast<double>(found->second);
    // The more domains there are, the more each pod too many weighs.
    sum += here * std::log(static_cast<double>(one.counts.size()) + 2) + static_cast<double>(one.max_skew - 1);
  }
  return sum;
}

}  // namespace stead::scheduler
