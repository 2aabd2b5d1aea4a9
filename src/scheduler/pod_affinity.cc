#include "scheduler/pod_affinity.h"

#include <algorithm>

namespace stead::scheduler {
namespace {

const Value* topology_value(const NodeInfo& node, const std::string& key) {
  return node.node ? node.node->metadata().at("labels").find(key) : nullptr;
}

template <class Counts>
void add(Counts& counts, const Value* value, int64_t change) {
  if (value == nullptr) return;
  auto [entry, fresh] = counts.try_emplace(std::string(value->as_string()), 0);
  entry->second += change;
  // Entries of zero would make an absent pod look met.
  if (entry->second == 0) counts.erase(entry);
}

template <class Counts>
bool meets(const Counts& counts, const Value* value) {
  if (value == nullptr) return false;
  auto found = counts.find(value->as_string());
  return found != counts.end() && found->second > 0;
}

}  // namespace

PodAffinity::PodAffinity(const PodInfo& pod, const ClusterState& cluster, const NamespaceLabels& namespaces)
    : pod_(pod), namespaces_(namespaces) {
  for (const AffinityTerm& term : pod.terms.required) affinity_.push_back({&term, {}});
  for (const AffinityTerm& term : pod.terms.required_anti) anti_affinity_.push_back({&term, {}});
  if (!affinity_.empty() || !anti_affinity_.empty()) {
    for (const auto& [name, node] : cluster.nodes()) {
      // A pod on its way out still counts: its volumes and ports are still there.
      for (const auto& [key, other] : node.pods) count(*other, node, 1);
    }
  }
  for (const auto& [key, entry] : cluster.pods_with_terms()) {
    const auto& [other, node_name] = entry;
    auto node = cluster.nodes().find(node_name);
    if (node != cluster.nodes().end()) count_symmetric(*other, node->second, 1);
  }
  gather_scores(cluster);
}

bool PodAffinity::matches_all_required(const Object& pod) const {
  return std::all_of(affinity_.begin(), affinity_.end(),
                     [&](const Counted& one) { return one.term->matches(pod, namespaces_); });
}

void PodAffinity::count(const PodInfo& other, const NodeInfo& node, int change) {
  // Only a pod that all terms of the affinity mean can satisfy any of them.
  if (!affinity_.empty() && matches_all_required(*other.pod)) {
    for (Counted& one : affinity_) add(one.met, topology_value(node, one.term->topology_key), change);
  }
  for (Counted& one : anti_affinity_) {
    if (!one.term->matches(*other.pod, namespaces_)) continue;
    add(one.met, topology_value(node, one.term->topology_key), change);
  }
}

void PodAffinity::count_symmetric(const PodInfo& other, const NodeInfo& node, int change) {
  for (const AffinityTerm& term : other.terms.required_anti) {
    if (!term.matches(*pod_.pod, namespaces_)) continue;
    Counts& counts = forbidden_[term.topology_key];
    add(counts, topology_value(node, term.topology_key), change);
    if (counts.empty()) forbidden_.erase(term.topology_key);
  }
}

void PodAffinity::adjust(const PodInfo& other, const NodeInfo& node, int change) {
  count(other, node, change);
  count_symmetric(other, node, change);
}

void PodAffinity::gather_scores(const ClusterState& cluster) {
  auto note = [this](const AffinityTerm& term, int64_t weight, const Object& met, const NodeInfo& node) {
    const Value* value = topology_value(node, term.topology_key);
    if (value == nullptr || !term.matches(met, namespaces_)) return;
    scores_[term.topology_key][std::string(value->as_string())] += weight;
  };
  if (!pod_.terms.preferred.empty()) {
    for (const auto& [name, node] : cluster.nodes()) {
      for (const auto& [key, other] : node.pods) {
        for (const AffinityTerm& term : pod_.terms.preferred) note(term, term.weight, *other->pod, node);
      }
    }
  }
  for (const auto& [key, entry] : cluster.pods_with_terms()) {
    const auto& [other, node_name] = entry;
    auto node = cluster.nodes().find(node_name);
    if (node == cluster.nodes().end()) continue;
    for (const AffinityTerm& term : other->terms.required) note(term, 1, *pod_.pod, node->second);
    for (const AffinityTerm& term : other->terms.preferred) note(term, term.weight, *pod_.pod, node->second);
  }
}

// The first pod of a group that wants to be with itself may go anywhere that has the topology keys.
bool PodAffinity::starts_group(const NodeInfo& node) const {
  bool nobody_met = std::all_of(affinity_.begin(), affinity_.end(), [](const Counted& one) { return one.met.empty(); });
  return nobody_met && matches_all_required(*pod_.pod) &&
         std::all_of(affinity_.begin(), affinity_.end(),
                     [&](const Counted& one) { return topology_value(node, one.term->topology_key) != nullptr; });
}

Verdict PodAffinity::filter(const NodeInfo& node) const {
  bool together = std::all_of(affinity_.begin(), affinity_.end(), [&](const Counted& one) {
    return meets(one.met, topology_value(node, one.term->topology_key));
  });
  if (!together && !starts_group(node)) {
    return Verdict::rejects_for_good("node(s) didn't match pod affinity rules");
  }
  for (const Counted& one : anti_affinity_) {
    if (meets(one.met, topology_value(node, one.term->topology_key))) {
      return Verdict::rejects("node(s) didn't match pod anti-affinity rules");
    }
  }
  for (const auto& [key, counts] : forbidden_) {
    if (meets(counts, topology_value(node, key))) {
      return Verdict::rejects("node(s) didn't satisfy existing pods anti-affinity rules");
    }
  }
  return Verdict::fits();
}

int64_t PodAffinity::score(const NodeInfo& node) const {
  int64_t sum = 0;
  for (const auto& [key, weights] : scores_) {
    const Value* value = topology_value(node, key);
    if (value == nullptr) continue;
    auto found = weights.find(value->as_string());
    if (found != weights.end()) sum += found->second;
  }
  return sum;
}

}  // namespace stead::scheduler
