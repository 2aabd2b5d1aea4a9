#pragma once

// Nodes, pods and a cluster of them for tests of the scheduler's pure parts.

#include <string>
#include <utility>
#include <vector>

#include "scheduler/scheduling_policy.h"

namespace stead::scheduler {

inline Value test_node(const std::string& name, const std::string& cpu = "4", Value labels = Value::object()) {
  labels.set("kubernetes.io/hostname", name);
  Value allocatable = Value::object({{"cpu", cpu}, {"memory", "8Gi"}, {"pods", "110"}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Node"},
                        {"metadata", Value::object({{"name", name}, {"labels", std::move(labels)}})},
                        {"spec", Value::object()},
                        {"status", Value::object({{"allocatable", std::move(allocatable)}})}});
}

// In namespace "default", with label app=a.
inline Value test_pod(const std::string& name, const std::string& cpu = "100m", int64_t priority = 0) {
  Value resources = Value::object({{"requests", Value::object({{"cpu", cpu}})}});
  Value container = Value::object({{"name", "c"}, {"image", "i"}, {"resources", std::move(resources)}});
  Value metadata = Value::object(
      {{"name", name}, {"namespace", "default"}, {"uid", "uid-" + name}, {"labels", Value::object({{"app", "a"}})}});
  Value spec = Value::object({{"schedulerName", "default-scheduler"},
                              {"priority", priority},
                              {"containers", Value::array({std::move(container)})}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Pod"},
                        {"metadata", std::move(metadata)},
                        {"spec", std::move(spec)},
                        {"status", Value::object({{"phase", "Pending"}})}});
}

inline Value test_term(const std::string& topology_key, const std::string& app) {
  Value selector = Value::object({{"matchLabels", Value::object({{"app", app}})}});
  return Value::object({{"topologyKey", topology_key}, {"labelSelector", std::move(selector)}});
}

inline Value& required_terms(Value& pod, const char* kind) {
  return pod["spec"]["affinity"][kind]["requiredDuringSchedulingIgnoredDuringExecution"];
}

inline void prefer(Value& pod, const char* kind, int64_t weight, Value term) {
  pod["spec"]["affinity"][kind]["preferredDuringSchedulingIgnoredDuringExecution"].append(
      Value::object({{"weight", weight}, {"podAffinityTerm", std::move(term)}}));
}

inline void spread(Value& pod, const std::string& key, int64_t max_skew, const char* unsatisfiable,
                   int64_t min_domains = 0) {
  Value constraint = test_term(key, "a");
  constraint.set("maxSkew", max_skew);
  constraint.set("whenUnsatisfiable", unsatisfiable);
  if (min_domains > 0) constraint.set("minDomains", min_domains);
  pod["spec"]["topologySpreadConstraints"].append(std::move(constraint));
}

inline PodInfoPtr info_of(Value document) {
  return std::make_shared<PodInfo>(object::make_object(std::move(document), 1));
}

struct TestCluster {
  TestCluster() {
    storage.claim = [](const std::string&, std::string_view) { return nullptr; };
    storage.volume = [](std::string_view) { return nullptr; };
    storage.storage_class = [](std::string_view) { return nullptr; };
    storage.volumes = [] { return std::vector<ObjectPtr>(); };
    labels = [this](std::string_view ns) -> const Value& { return namespaces.at(ns); };
    budgets = [this](std::string_view) { return disruption_budgets; };
  }
  void add_node(Value document) { state.set_node(object::make_object(std::move(document), 1)); }
  PodInfoPtr run(Value document, const std::string& node) {
    document["status"].set("phase", "Running");
    PodInfoPtr info = info_of(std::move(document));
    state.set_pod(info, node);
    return info;
  }
  Choice choose(Value document) const { return choose_node(*info_of(std::move(document)), surroundings()); }
  Surroundings surroundings() const { return {state, storage, labels, budgets}; }

  ClusterState state;
  StorageView storage;
  Value namespaces = Value::object();  // labels by name
  NamespaceLabels labels;
  DisruptionBudgets budgets;
  std::vector<ObjectPtr> disruption_budgets;
};

}  // namespace stead::scheduler
