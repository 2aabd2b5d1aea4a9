#include "scheduler/topology_spread.h"

#include <algorithm>

#include "scheduler/filters.h"

namespace stead::scheduler {

TopologySpread::TopologySpread(const PodInfo& pod, const ClusterState& cluster) : pod_(pod) {
  for (const Value& document : pod.pod->spec().at("topologySpreadConstraints").items()) {
    Constraint constraint;
    constraint.topology_key = document.at("topologyKey").as_string();
    constraint.max_skew = document.at("maxSkew").as_int(1);
    constraint.min_domains = document.at("minDomains").as_int(1);
    constraint.hard = document.at("whenUnsatisfiable").as_string() != "ScheduleAnyway";
    constraint.honors_affinity = document.at("nodeAffinityPolicy").as_string() != "Ignore";
    constraint.honors_taints = document.at("nodeTaintsPolicy").as_string() == "Honor";
    Value selector = document.at("labelSelector");
    for (const Value& key : document.at("matchLabelKeys").items()) {
      const Value* value = pod.pod->metadata().at("labels").find(key.as_string());
      if (value == nullptr) continue;
      selector["matchExpressions"].append(
          Value::object({{"key", key}, {"operator", "In"}, {"values", Value::array({*value})}}));
    }
    auto parsed = object::LabelSelector::from_document(selector);
    if (parsed.ok()) constraint.selector = *parsed;
    constraint.matches_self = constraint.selector.matches(pod.pod->metadata().at("labels"));
    count(constraint, cluster);
    constraints_.push_back(std::move(constraint));
  }
}

void TopologySpread::count(Constraint& constraint, const ClusterState& cluster) const {
  for (const auto& [name, node] : cluster.nodes()) {
    if (!node.node) continue;
    const Value* value = node.node->metadata().at("labels").find(constraint.topology_key);
    if (value == nullptr) continue;
    if (constraint.honors_affinity && !filter_node_affinity(pod_, node).ok()) continue;
    if (constraint.honors_taints && !filter_taints(pod_, node).ok()) continue;
    int64_t& count = constraint.counts[std::string(value->as_string())];
    for (const auto& [key, other] : node.pods) {
      bool counts = other->pod->ns() == pod_.pod->ns() && !other->pod->deleting() &&
                    constraint.selector.matches(other->pod->metadata().at("labels"));
      if (counts) ++count;
    }
  }
  // Fewer domains than asked for: the missing ones count as empty.
  if (static_cast<int64_t>(constraint.counts.size()) < constraint.min_domains || constraint.counts.empty()) return;
  constraint.minimum = std::min_element(constraint.counts.begin(), constraint.counts.end(), [](auto& a, auto& b) {
                         return a.second < b.second;
                       })->second;
}

Verdict TopologySpread::filter(const NodeInfo& node) const {
  for (const Constraint& constraint : constraints_) {
    if (!constraint.hard) continue;
    const Value* value = node.node->metadata().at("labels").find(constraint.topology_key);
    if (value == nullptr) {
      return Verdict::rejects_for_good("node(s) didn't match pod topology spread constraints (missing required label)");
    }
    auto found = constraint.counts.find(value->as_string());
    int64_t here = found == constraint.counts.end() ? 0 : found->second;
    if (here + (constraint.matches_self ? 1 : 0) - constraint.minimum > constraint.max_skew) {
      return Verdict::rejects("node(s) didn't match pod topology spread constraints");
    }
  }
  return Verdict::fits();
}

int64_t TopologySpread::crowding(const NodeInfo& node) const {
  int64_t sum = 0;
  for (const Constraint& constraint : constraints_) {
    if (constraint.hard) continue;
    const Value* value = node.node->metadata().at("labels").find(constraint.topology_key);
    if (value == nullptr) continue;
    auto found = constraint.counts.find(value->as_string());
    if (found != constraint.counts.end()) sum += found->second;
  }
  return sum;
}

}  // namespace stead::scheduler
