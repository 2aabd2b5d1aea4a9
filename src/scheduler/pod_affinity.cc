#include "scheduler/pod_affinity.h"

#include <algorithm>

namespace stead::scheduler {
namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

object::LabelSelector read_selector(const Value& document) {
  auto selector = object::LabelSelector::from_document(document);
  return selector.ok() ? *selector : object::LabelSelector::from_map(Value());
}

// Adds `key in (value of the pod's label)` for each of matchLabelKeys, as KEP-3633 has it.
Value merged_selector(const Value& term, const Object& pod) {
  Value selector = term.at("labelSelector");
  auto add = [&](std::string_view list, std::string_view op) {
    for (const Value& key : term.at(list).items()) {
      const Value* value = pod.metadata().at("labels").find(key.as_string());
      if (value == nullptr) continue;
      selector["matchExpressions"].append(
          Value::object({{"key", key}, {"operator", op}, {"values", Value::array({*value})}}));
    }
  };
  add("matchLabelKeys", "In");
  add("mismatchLabelKeys", "NotIn");
  return selector;
}

const Value* topology_value(const NodeInfo& node, const std::string& key) {
  return node.node ? node.node->metadata().at("labels").find(key) : nullptr;
}

}  // namespace

PodAffinity::Term PodAffinity::read_term(const Value& term, const Object& pod, const NamespaceLabels& namespaces) {
  Term result;
  result.topology_key = term.at("topologyKey").as_string();
  result.selector = read_selector(merged_selector(term, pod));
  std::set<std::string, std::less<>> named;
  for (const Value& ns : term.at("namespaces").items()) named.emplace(ns.as_string());
  const Value* selected = term.find("namespaceSelector");
  bool by_selector = selected != nullptr && !selected->is_null();
  if (named.empty() && !by_selector) named.emplace(pod.ns());
  if (by_selector) {
    result.covers = [named, namespaces, selector = read_selector(*selected)](std::string_view ns) {
      return named.contains(ns) || selector.matches(namespaces(ns));
    };
  } else {
    result.covers = [named](std::string_view ns) { return named.contains(ns); };
  }
  return result;
}

std::vector<PodAffinity::Term> PodAffinity::read_terms(const Value& terms, const Object& pod,
                                                       const NamespaceLabels& namespaces) {
  std::vector<Term> all;
  for (const Value& term : terms.items()) all.push_back(read_term(term, pod, namespaces));
  return all;
}

bool PodAffinity::matches(const Term& term, const Object& pod) {
  return term.covers(pod.ns()) && term.selector.matches(pod.metadata().at("labels"));
}

PodAffinity::PodAffinity(const PodInfo& pod, const ClusterState& cluster, const NamespaceLabels& namespaces)
    : pod_(pod) {
  const Value& affinity = pod.pod->spec().at("affinity");
  affinity_ = read_terms(affinity.at({"podAffinity", kRequired}), *pod.pod, namespaces);
  anti_affinity_ = read_terms(affinity.at({"podAntiAffinity", kRequired}), *pod.pod, namespaces);
  for (bool anti : {false, true}) {
    for (const Value& weighted : affinity.at({anti ? "podAntiAffinity" : "podAffinity", kPreferred}).items()) {
      Term term = read_term(weighted.at("podAffinityTerm"), *pod.pod, namespaces);
      term.weight = weighted.at("weight").as_int() * (anti ? -1 : 1);
      preferred_.push_back(std::move(term));
    }
  }
  if (!affinity_.empty() || !anti_affinity_.empty() || !preferred_.empty()) gather(cluster);
  gather_forbidden(cluster, namespaces);
}

void PodAffinity::gather(const ClusterState& cluster) {
  for (const auto& [name, node] : cluster.nodes()) {
    for (const auto& [key, other] : node.pods) {
      // A pod on its way out still counts: its volumes and ports are still there.
      for (auto* terms : {&affinity_, &anti_affinity_, &preferred_}) {
        for (Term& term : *terms) {
          if (!matches(term, *other->pod)) continue;
          term.matches_any = true;
          if (const Value* value = topology_value(node, term.topology_key)) term.values.emplace(value->as_string());
        }
      }
    }
  }
}

void PodAffinity::gather_forbidden(const ClusterState& cluster, const NamespaceLabels& namespaces) {
  for (const auto& [key, entry] : cluster.exclusive_pods()) {
    const auto& [other, node_name] = entry;
    auto node = cluster.nodes().find(node_name);
    if (node == cluster.nodes().end()) continue;
    for (const Value& document : other->pod->spec().at({"affinity", "podAntiAffinity", kRequired}).items()) {
      Term term = read_term(document, *other->pod, namespaces);
      const Value* value = topology_value(node->second, term.topology_key);
      if (value != nullptr && matches(term, *pod_.pod)) forbidden_.emplace(term.topology_key, value->as_string());
    }
  }
}

Verdict PodAffinity::filter(const NodeInfo& node) const {
  auto holds_here = [&](const Term& term) {
    const Value* value = topology_value(node, term.topology_key);
    return value != nullptr && term.values.contains(value->as_string());
  };
  for (const Term& term : affinity_) {
    // The first pod of a group that wants to be with itself may go anywhere that has the topology key.
    bool first_of_group = !term.matches_any && matches(term, *pod_.pod) && topology_value(node, term.topology_key);
    if (!holds_here(term) && !first_of_group) {
      return Verdict::rejects_for_good("node(s) didn't match pod affinity rules");
    }
  }
  for (const Term& term : anti_affinity_) {
    if (holds_here(term)) return Verdict::rejects("node(s) didn't match pod anti-affinity rules");
  }
  for (const auto& [key, forbidden] : forbidden_) {
    const Value* value = topology_value(node, key);
    if (value != nullptr && value->as_string() == forbidden) {
      return Verdict::rejects("node(s) didn't satisfy existing pods anti-affinity rules");
    }
  }
  return Verdict::fits();
}

int64_t PodAffinity::score(const NodeInfo& node) const {
  int64_t sum = 0;
  for (const Term& term : preferred_) {
    const Value* value = topology_value(node, term.topology_key);
    if (value != nullptr && term.values.contains(value->as_string())) sum += term.weight;
  }
  return sum;
}

}  // namespace stead::scheduler
