#include "scheduler/affinity_term.h"

namespace stead::scheduler {
namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

object::LabelSelector read_selector(const Value& document) {
  auto selector = object::LabelSelector::from_document(document);
  return selector.ok() ? *selector : object::LabelSelector::from_map(Value());
}

AffinityTerm read_term(const Value& document, const Object& pod) {
  AffinityTerm term;
  term.topology_key = document.at("topologyKey").as_string();
  term.selector = read_selector_for(document, pod);
  for (const Value& ns : document.at("namespaces").items()) term.namespaces.emplace(ns.as_string());
  const Value* selected = document.find("namespaceSelector");
  if (selected != nullptr && !selected->is_null()) term.namespace_selector = read_selector(*selected);
  if (term.namespaces.empty() && !term.namespace_selector) term.namespaces.emplace(pod.ns());
  return term;
}

}  // namespace

object::LabelSelector read_selector_for(const Value& document, const Object& pod) {
  Value selector = document.at("labelSelector");
  auto add = [&](std::string_view list, std::string_view op) {
    for (const Value& key : document.at(list).items()) {
      const Value* value = pod.metadata().at("labels").find(key.as_string());
      if (value == nullptr) continue;
      selector["matchExpressions"].append(
          Value::object({{"key", key}, {"operator", op}, {"values", Value::array({*value})}}));
    }
  };
  add("matchLabelKeys", "In");
  add("mismatchLabelKeys", "NotIn");
  return read_selector(selector);
}

bool AffinityTerm::matches(const Object& pod, const NamespaceLabels& labels) const {
  bool covered = namespaces.contains(pod.ns()) || (namespace_selector && namespace_selector->matches(labels(pod.ns())));
  return covered && selector.matches(pod.metadata().at("labels"));
}

AffinityTerms read_affinity_terms(const Object& pod) {
  AffinityTerms terms;
  const Value& affinity = pod.spec().at("affinity");
  if (affinity.empty()) return terms;
  for (bool anti : {false, true}) {
    const Value& part = affinity.at(anti ? "podAntiAffinity" : "podAffinity");
    for (const Value& document : part.at(kRequired).items()) {
      (anti ? terms.required_anti : terms.required).push_back(read_term(document, pod));
    }
    for (const Value& weighted : part.at(kPreferred).items()) {
      AffinityTerm term = read_term(weighted.at("podAffinityTerm"), pod);
      term.weight = weighted.at("weight").as_int() * (anti ? -1 : 1);
      terms.preferred.push_back(std::move(term));
    }
  }
  return terms;
}

}  // namespace stead::scheduler
