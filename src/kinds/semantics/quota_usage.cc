#include "kinds/semantics/quota_usage.h"

#include <algorithm>
#include <set>

#include "kinds/core/pod_state.h"
#include "kinds/semantics/pod_requests.h"

namespace stead::kinds {
namespace {

using object::Quantity;

constexpr std::string_view kComputed[] = {"cpu", "memory", "ephemeral-storage"};
constexpr std::string_view kClassSuffix = ".storageclass.storage.k8s.io/";

bool is_pods(std::string_view group, std::string_view resource) { return group.empty() && resource == "pods"; }
bool is_claims(std::string_view group, std::string_view resource) {
  return group.empty() && resource == "persistentvolumeclaims";
}

Quantity quantity_of_text(const Value& value) {
  if (value.is_int()) return Quantity::from_units(value.as_int());
  auto parsed = Quantity::parse(value.as_string());
  return parsed.ok() ? *parsed : Quantity();
}

void add(QuotaAmounts& amounts, std::string name, const Quantity& quantity) {
  auto [entry, fresh] = amounts.emplace(std::move(name), quantity);
  if (!fresh) entry->second = entry->second + quantity;
}

// As resources of a quota: limits or requests, the latter with and without their prefix.
void add_resources(QuotaAmounts& amounts, const Resources& resources, std::string_view prefix, bool plain) {
  auto put = [&](std::string_view name, const Quantity& quantity) {
    if (quantity.is_zero()) return;
    if (plain) add(amounts, std::string(name), quantity);
    add(amounts, std::string(prefix) + std::string(name), quantity);
  };
  put("cpu", Quantity::from_milli(resources.cpu_milli));
  put("memory", Quantity::from_units(resources.memory));
  put("ephemeral-storage", Quantity::from_units(resources.ephemeral_storage));
  for (const auto& [name, amount] : resources.extended) {
    add(amounts, std::string(prefix) + name, Quantity::from_units(amount));
    if (plain && name.starts_with("hugepages-")) add(amounts, name, Quantity::from_units(amount));
  }
}

// A pod that has ended no longer uses anything.
bool is_live_pod(const Value& pod) { return !is_pod_terminated(pod); }

void add_pod(QuotaAmounts& amounts, const Value& pod) {
  if (!is_live_pod(pod)) return;
  add(amounts, "pods", Quantity::from_units(1));
  add_resources(amounts, pod_requests_held(pod), "requests.", true);
  add_resources(amounts, pod_limits_held(pod), "limits.", false);
}

void add_service(QuotaAmounts& amounts, const Value& service) {
  add(amounts, "services", Quantity::from_units(1));
  std::string_view type = service.at({"spec", "type"}).as_string();
  auto ports = service.at({"spec", "ports"}).items();
  int64_t node_ports = 0;
  if (type == "NodePort") {
    node_ports = static_cast<int64_t>(ports.size());
  } else if (type == "LoadBalancer") {
    add(amounts, "services.loadbalancers", Quantity::from_units(1));
    const Value* allocate = service.find({"spec", "allocateLoadBalancerNodePorts"});
    bool all = allocate == nullptr || allocate->as_bool();
    node_ports = all ? static_cast<int64_t>(ports.size())
                     : std::count_if(ports.begin(), ports.end(),
                                     [](const Value& port) { return port.at("nodePort").as_int() != 0; });
  }
  if (node_ports > 0) add(amounts, "services.nodeports", Quantity::from_units(node_ports));
}

std::string_view class_of(const Value& claim) {
  constexpr std::string_view kBeta = "volume.beta.kubernetes.io/storage-class";
  if (const Value* old = claim.find({"metadata", "annotations", kBeta})) return old->as_string();
  return claim.at({"spec", "storageClassName"}).as_string();
}

void add_claim(QuotaAmounts& amounts, const Value& claim) {
  add(amounts, "persistentvolumeclaims", Quantity::from_units(1));
  std::string storage_class(class_of(claim));
  std::string prefix = storage_class + std::string(kClassSuffix);
  if (!storage_class.empty()) add(amounts, prefix + "persistentvolumeclaims", Quantity::from_units(1));
  const Value* wanted = claim.find({"spec", "resources", "requests", "storage"});
  if (wanted == nullptr) return;
  Quantity size = quantity_of_text(*wanted);
  // While a claim shrinks back from a growth that failed, what it has counts.
  if (const Value* allocated = claim.find({"status", "allocatedResources", "storage"})) {
    size = std::max(size, quantity_of_text(*allocated));
  }
  add(amounts, "requests.storage", size);
  if (!storage_class.empty()) add(amounts, prefix + "requests.storage", size);
}

bool is_best_effort(const Value& spec) {
  for (std::string_view list : {"containers", "initContainers"}) {
    for (const Value& container : spec.at(list).items()) {
      for (std::string_view kind : {"requests", "limits"}) {
        for (std::string_view name : {"cpu", "memory"}) {
          const Value* amount = container.find({"resources", kind, name});
          if (amount != nullptr && !quantity_of_text(*amount).is_zero()) return false;
        }
      }
    }
  }
  return spec.at({"resources", "requests"}).empty() && spec.at({"resources", "limits"}).empty();
}

bool crosses_namespaces(const Value& spec) {
  auto crosses = [](const Value& term) {
    return !term.at("namespaces").empty() || term.find("namespaceSelector") != nullptr;
  };
  for (std::string_view kind : {"podAffinity", "podAntiAffinity"}) {
    const Value& affinity = spec.at({"affinity", kind});
    for (const Value& term : affinity.at("requiredDuringSchedulingIgnoredDuringExecution").items()) {
      if (crosses(term)) return true;
    }
    for (const Value& term : affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items()) {
      if (crosses(term.at("podAffinityTerm"))) return true;
    }
  }
  return false;
}

bool value_fits(std::string_view actual, std::string_view op, const Value& values) {
  auto items = values.items();
  bool listed =
      std::any_of(items.begin(), items.end(), [&](const Value& value) { return value.as_string() == actual; });
  if (op == "In") return listed;
  if (op == "NotIn") return !listed;
  if (op == "DoesNotExist") return actual.empty();
  return !actual.empty();
}

bool pod_in_scope(const Value& pod, std::string_view scope, std::string_view op, const Value& values) {
  const Value& spec = pod.at("spec");
  if (scope == "Terminating") return spec.at("activeDeadlineSeconds").as_int(-1) >= 0;
  if (scope == "NotTerminating") return spec.at("activeDeadlineSeconds").as_int(-1) < 0;
  if (scope == "BestEffort") return is_best_effort(spec);
  if (scope == "NotBestEffort") return !is_best_effort(spec);
  if (scope == "PriorityClass") return value_fits(spec.at("priorityClassName").as_string(), op, values);
  if (scope == "CrossNamespacePodAffinity") return crosses_namespaces(spec);
  return false;
}

// A claim is of the class that it wants, of the one that it has, and of the one that it is on its way to.
bool any_attributes_class_fits(const Value& claim, std::string_view op, const Value& values) {
  const Value* names[] = {claim.find({"spec", "volumeAttributesClassName"}),
                          claim.find({"status", "currentVolumeAttributesClassName"}),
                          claim.find({"status", "modifyVolumeStatus", "targetVolumeAttributesClassName"})};
  bool any = false;
  for (const Value* name : names) {
    if (name == nullptr || name->as_string().empty()) continue;
    any = true;
    if (value_fits(name->as_string(), op, values)) return true;
  }
  return !any && value_fits({}, op, values);
}

bool in_scope(std::string_view group, std::string_view resource, const Value& document, std::string_view scope,
              std::string_view op, const Value& values) {
  if (is_pods(group, resource)) return pod_in_scope(document, scope, op, values);
  if (!is_claims(group, resource) || scope != "VolumeAttributesClass") return false;
  return any_attributes_class_fits(document, op, values);
}

// Whether the container gives an amount, by the name that a quota has for it.
bool gives(const Value& container, std::string_view name) {
  bool limit = name.starts_with("limits.");
  std::string_view bare = name;
  if (size_t dot = name.find('.'); dot != std::string_view::npos && (limit || name.starts_with("requests."))) {
    bare = name.substr(dot + 1);
  }
  return container.find({"resources", limit ? "limits" : "requests", bare}) != nullptr;
}

}  // namespace

std::string quota_resource_name(std::string_view group, std::string_view resource) {
  return group.empty() ? std::string(resource) : std::string(resource) + "." + std::string(group);
}

std::vector<std::pair<std::string, std::string>> quota_counts(const Value& quota) {
  constexpr std::string_view kCount = "count/";
  std::vector<std::pair<std::string, std::string>> counted;
  for (const object::Member& amount : quota.at({"spec", "hard"}).members()) {
    std::string_view name = amount.name();
    if (!name.starts_with(kCount)) continue;
    name.remove_prefix(kCount.size());
    const size_t dot = std::min(name.find('.'), name.size());
    counted.emplace_back(name.substr(std::min(dot + 1, name.size())), name.substr(0, dot));
  }
  return counted;
}

QuotaAmounts quota_usage(std::string_view group, std::string_view resource, const Value& document) {
  QuotaAmounts amounts;
  add(amounts, "count/" + quota_resource_name(group, resource), Quantity::from_units(1));
  if (!group.empty()) return amounts;
  if (resource == "pods") {
    add_pod(amounts, document);
  } else if (resource == "services") {
    add_service(amounts, document);
  } else if (resource == "persistentvolumeclaims") {
    add_claim(amounts, document);
  } else if (resource == "configmaps" || resource == "secrets" || resource == "replicationcontrollers" ||
             resource == "resourcequotas") {
    add(amounts, std::string(resource), Quantity::from_units(1));
  }
  return amounts;
}

bool quota_covers(const Value& quota, std::string_view group, std::string_view resource, const Value& document) {
  const Value& spec = quota.at("spec");
  for (const Value& scope : spec.at("scopes").items()) {
    if (!in_scope(group, resource, document, scope.as_string(), "Exists", Value())) return false;
  }
  for (const Value& requirement : spec.at({"scopeSelector", "matchExpressions"}).items()) {
    if (!in_scope(group, resource, document, requirement.at("scopeName").as_string(),
                  requirement.at("operator").as_string(), requirement.at("values"))) {
      return false;
    }
  }
  return true;
}

bool quota_limits(const Value& quota, std::string_view group, std::string_view resource) {
  std::string counted = "count/" + quota_resource_name(group, resource);
  for (const object::Member& amount : quota.at({"spec", "hard"}).members()) {
    std::string_view name = amount.name();
    if (name == counted) return true;
    if (!group.empty() || name.starts_with("count/")) continue;
    bool of_class = name.find(kClassSuffix) != std::string_view::npos;
    bool of_claims = of_class || name == "persistentvolumeclaims" || name == "requests.storage";
    bool of_services = name == "services" || name.starts_with("services.");
    bool of_others =
        name == "configmaps" || name == "secrets" || name == "replicationcontrollers" || name == "resourcequotas";
    if (resource == "persistentvolumeclaims" && of_claims) return true;
    if (resource == "services" && of_services) return true;
    if (resource == "pods" && !of_claims && !of_services && !of_others) return true;
    if (of_others && name == resource) return true;
  }
  return false;
}

std::string quota_omissions(const Value& quota, const Value& pod) {
  std::string text;
  std::set<std::string> names;
  for (const object::Member& amount : quota.at({"spec", "hard"}).members()) names.emplace(amount.name());
  for (const std::string& name : names) {
    bool required = std::any_of(std::begin(kComputed), std::end(kComputed), [&](std::string_view computed) {
      return name == computed || name == "requests." + std::string(computed) ||
             name == "limits." + std::string(computed);
    });
    // Pods need not say what they keep on disk.
    if (!required || name.ends_with("ephemeral-storage")) continue;
    std::string_view bare = name;
    if (size_t dot = name.find('.'); dot != std::string::npos) bare = bare.substr(dot + 1);
    std::string_view kind = name.starts_with("limits.") ? "limits" : "requests";
    if (pod.find({"spec", "resources", kind, bare}) != nullptr) continue;
    std::string containers;
    for (std::string_view list : {"containers", "initContainers"}) {
      for (const Value& container : pod.at({"spec", list}).items()) {
        if (gives(container, name)) continue;
        containers += (containers.empty() ? "" : ",") + std::string(container.at("name").as_string());
      }
    }
    if (containers.empty()) continue;
    text += (text.empty() ? "" : "; ") + name + " for: " + containers;
  }
  return text;
}

}  // namespace stead::kinds
