#include "kinds/core/pod_warnings.h"

#include <algorithm>
#include <map>
#include <set>

#include "kinds/core/node_labels.h"
#include "kinds/core/volume_warnings.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kContainerLists[] = {"initContainers", "containers", "ephemeralContainers"};
constexpr std::string_view kNullSelector = "a null labelSelector results in matching no pod";

struct OldAnnotation {
  std::string_view key;
  std::string_view what;
};
constexpr OldAnnotation kOldAnnotations[] = {
    {"scheduler.alpha.kubernetes.io/critical-pod",
     "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
    {"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
    {"security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
};

void warn(const Path& path, std::string_view what, Warnings& warnings) {
  warnings.push_back(path.str() + ": " + std::string(what));
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

void warn_of_fraction(const Path& path, const Value& amounts, Warnings& warnings) {
  for (std::string_view name : {"memory", "ephemeral-storage"}) {
    const Value* amount = amounts.find(name);
    if (amount == nullptr) continue;
    object::Quantity quantity = quantity_of(*amount);
    if (quantity == object::Quantity::from_units(quantity.value())) continue;
    warn(path.key(name), "fractional byte value " + quoted(amount->as_string()) + " is invalid, must be an integer",
         warnings);
  }
}

void warn_of_repeated(const Path& path, const Value& list, std::string_view member, Warnings& warnings) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < list.size(); ++i) {
    std::string_view text = list.items()[i].at(member).as_string();
    if (seen.insert(text).second) continue;
    Path at = path.index(i);
    warn(at.child(member), "duplicate " + std::string(member) + " " + quoted(text), warnings);
  }
}

// A later variable may build on an earlier one of its name; one that does not was hardly meant to be the second.
void warn_of_env(const Path& path, const Value& variables, Warnings& warnings) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < variables.size(); ++i) {
    const Value& variable = variables.items()[i];
    std::string_view name = variable.at("name").as_string();
    if (seen.insert(name).second) continue;
    std::string reference = "$(" + std::string(name) + ")";
    std::string_view value = variable.at("value").as_string();
    bool builds_on_it =
        variable.find("valueFrom") == nullptr && value != reference && value.find(reference) != std::string_view::npos;
    if (builds_on_it) continue;
    warn(path.index(i), "hides previous definition of " + quoted(name) + ", which may be dropped when using apply",
         warnings);
  }
}

struct NamedPort {
  std::string path;
  const Value* port;
};
using PortsByNumber = std::map<std::string, std::vector<NamedPort>>;

std::string port_text(const Value& port) {
  return "{Name:" + std::string(port.at("name").as_string()) +
         " HostPort:" + std::to_string(port.at("hostPort").as_int()) +
         " ContainerPort:" + std::to_string(port.at("containerPort").as_int()) +
         " Protocol:" + std::string(port.at("protocol").as_string()) +
         " HostIP:" + std::string(port.at("hostIP").as_string()) + "}";
}

void warn_of_port(const Path& path, const Value& port, PortsByNumber& known, Warnings& warnings) {
  std::string_view address = port.at("hostIP").as_string();
  int64_t host = port.at("hostPort").as_int();
  if (!address.empty() && host == 0) warn(path, "hostIP set without hostPort: " + port_text(port), warnings);
  std::vector<NamedPort>& others =
      known[std::to_string(port.at("containerPort").as_int()) + "/" + std::string(port.at("protocol").as_string())];
  for (const NamedPort& other : others) {
    std::string_view other_address = other.port->at("hostIP").as_string();
    int64_t other_host = other.port->at("hostPort").as_int();
    if (address == other_address && host == other_host) {
      warn(path, "duplicate port definition with " + other.path, warnings);
    } else if (host == 0 || other_host == 0) {
      warn(path, "overlapping port definition with " + other.path, warnings);
    } else if (host == other_host && address.empty() != other_address.empty()) {
      warn(path, "dangerously ambiguous port definition with " + other.path, warnings);
    }
  }
  others.push_back({path.str(), &port});
}

void warn_of_containers(const Path& spec_path, const Value& spec, Warnings& warnings) {
  PortsByNumber ports;
  for (std::string_view list : kContainerLists) {
    Path list_path = spec_path.child(list);
    auto containers = spec.at(list).items();
    for (size_t i = 0; i < containers.size(); ++i) {
      Path at = list_path.index(i);
      Path resources_path = at.child("resources");
      for (std::string_view kind : {"limits", "requests"}) {
        warn_of_fraction(resources_path.child(kind), containers[i].at({"resources", kind}), warnings);
      }
      warn_of_env(at.child("env"), containers[i].at("env"), warnings);
      Path ports_path = at.child("ports");
      auto items = containers[i].at("ports").items();
      for (size_t j = 0; j < items.size(); ++j) warn_of_port(ports_path.index(j), items[j], ports, warnings);
    }
  }
}

// Annotations that fields took the place of.
void warn_of_annotations(const Path& path, const Value& annotations, const Value& spec, Warnings& warnings) {
  if (annotations.empty()) return;
  for (const OldAnnotation& old : kOldAnnotations) {
    if (annotations.find(old.key) != nullptr) warn(path.key(old.key), old.what, warnings);
  }
  constexpr std::string_view kPodProfile = "seccomp.security.alpha.kubernetes.io/pod";
  constexpr std::string_view kContainerProfile = "container.seccomp.security.alpha.kubernetes.io/";
  constexpr std::string_view kUseField = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
  if (annotations.find(kPodProfile) != nullptr && spec.find({"securityContext", "seccompProfile"}) == nullptr) {
    warn(path.key(kPodProfile), kUseField, warnings);
  }
  constexpr std::string_view kArmor = "container.apparmor.security.beta.kubernetes.io/";
  for (std::string_view list : kContainerLists) {
    for (const Value& container : spec.at(list).items()) {
      std::string profile = std::string(kContainerProfile) + std::string(container.at("name").as_string());
      if (annotations.find(profile) != nullptr && container.find({"securityContext", "seccompProfile"}) == nullptr) {
        warn(path.key(profile), kUseField, warnings);
      }
      std::string armor = std::string(kArmor) + std::string(container.at("name").as_string());
      bool by_field = spec.find({"securityContext", "appArmorProfile"}) != nullptr ||
                      container.find({"securityContext", "appArmorProfile"}) != nullptr;
      if (annotations.find(armor) != nullptr && !by_field) {
        warn(path.key(armor), "deprecated since v1.30; use the \"appArmorProfile\" field instead", warnings);
      }
    }
  }
}

void warn_of_pod_terms(const Path& path, const Value& affinity, Warnings& warnings) {
  Path required_path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
  auto required = affinity.at("requiredDuringSchedulingIgnoredDuringExecution").items();
  for (size_t i = 0; i < required.size(); ++i) {
    Path at = required_path.index(i);
    if (required[i].find("labelSelector") == nullptr) warn(at.child("labelSelector"), kNullSelector, warnings);
  }
  Path preferred_path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
  auto preferred = affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items();
  for (size_t i = 0; i < preferred.size(); ++i) {
    Path at = preferred_path.index(i);
    Path term_path = at.child("podAffinityTerm");
    if (preferred[i].find({"podAffinityTerm", "labelSelector"}) == nullptr) {
      warn(term_path.child("labelSelector"), kNullSelector, warnings);
    }
  }
}

void warn_of_node_affinity(const Path& path, const Value& affinity, Warnings& warnings) {
  Path required_path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
  Path terms_path = required_path.child("nodeSelectorTerms");
  auto terms = affinity.at({"requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"}).items();
  for (size_t i = 0; i < terms.size(); ++i) warn_of_node_term(terms_path.index(i), terms[i], warnings);
  Path preferred_path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
  auto preferred = affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items();
  for (size_t i = 0; i < preferred.size(); ++i) {
    Path at = preferred_path.index(i);
    warn_of_node_term(at.child("preference"), preferred[i].at("preference"), warnings);
  }
}

void warn_of_placement(const Path& path, const Value& spec, Warnings& warnings) {
  Path selector_path = path.child("nodeSelector");
  for (const object::Member& label : spec.at("nodeSelector").members()) {
    std::string old = deprecated_node_label(label.name());
    if (!old.empty()) warn(selector_path.key(label.name()), old, warnings);
  }
  Path affinity_path = path.child("affinity");
  const Value& affinity = spec.at("affinity");
  warn_of_node_affinity(affinity_path.child("nodeAffinity"), affinity.at("nodeAffinity"), warnings);
  for (std::string_view kind : {"podAffinity", "podAntiAffinity"}) {
    warn_of_pod_terms(affinity_path.child(kind), affinity.at(kind), warnings);
  }
  Path constraints_path = path.child("topologySpreadConstraints");
  auto constraints = spec.at("topologySpreadConstraints").items();
  for (size_t i = 0; i < constraints.size(); ++i) {
    Path at = constraints_path.index(i);
    std::string_view key = constraints[i].at("topologyKey").as_string();
    std::string old = deprecated_node_label(key);
    if (!old.empty()) warn(at.child("topologyKey"), std::string(key) + " is " + old, warnings);
    if (constraints[i].find("labelSelector") == nullptr) warn(at.child("labelSelector"), kNullSelector, warnings);
  }
}

void warn_of_pull_secrets(const Path& path, const Value& secrets, Warnings& warnings) {
  warn_of_repeated(path, secrets, "name", warnings);
  for (size_t i = 0; i < secrets.size(); ++i) {
    if (!secrets.items()[i].at("name").as_string().empty()) continue;
    Path at = path.index(i);
    warn(at.child("name"), "invalid empty name \"\"", warnings);
  }
}

}  // namespace

void warn_of_node_term(const Path& path, const Value& term, Warnings& warnings) {
  Path expressions_path = path.child("matchExpressions");
  auto expressions = term.at("matchExpressions").items();
  for (size_t i = 0; i < expressions.size(); ++i) {
    std::string_view key = expressions[i].at("key").as_string();
    std::string old = deprecated_node_label(key);
    Path at = expressions_path.index(i);
    if (!old.empty()) warn(at.child("key"), std::string(key) + " is " + old, warnings);
  }
}

void warn_of_pod(const Path& path, const Value& pod, Warnings& warnings) {
  const Value& spec = pod.at("spec");
  Path metadata_path = path.child("metadata");
  Path spec_path = path.child("spec");
  warn_of_placement(spec_path, spec, warnings);
  warn_of_annotations(metadata_path.child("annotations"), pod.at({"metadata", "annotations"}), spec, warnings);
  warn_of_volumes(spec_path.child("volumes"), spec.at("volumes"), warnings);
  warn_of_repeated(spec_path.child("hostAliases"), spec.at("hostAliases"), "ip", warnings);
  warn_of_pull_secrets(spec_path.child("imagePullSecrets"), spec.at("imagePullSecrets"), warnings);
  warn_of_fraction(spec_path.child("overhead"), spec.at("overhead"), warnings);
  warn_of_containers(spec_path, spec, warnings);
  if (spec.at("terminationGracePeriodSeconds").as_int() < 0) {
    warn(spec_path.child("terminationGracePeriodSeconds"),
         "must be >= 0; negative values are invalid and will be treated as 1", warnings);
  }
}

void warn_of_pod_name(const Value& metadata, std::string_view what, Warnings& warnings) {
  std::string problem = object::check_dns1123_label(metadata.at("name").as_string());
  if (problem.empty()) return;
  warnings.push_back("metadata.name: this is used in " + std::string(what) +
                     ", which can result in surprising behavior; a DNS label is recommended: [" + problem + "]");
}

void warn_of_workload(const Value& workload, const Value* old, Warnings& warnings) {
  if (old == nullptr) {
    warn_of_pod_name(workload.at("metadata"), "Pod names and hostnames", warnings);
  } else if (workload.at("spec") == old->at("spec")) {
    return;
  }
  Path spec("spec");
  warn_of_pod(spec.child("template"), workload.at({"spec", "template"}), warnings);
}

void warn_of_claim_spec(const Path& path, const Value& spec, Warnings& warnings) {
  Path resources = path.child("resources");
  for (std::string_view kind : {"requests", "limits"}) {
    const Value* amount = spec.find({"resources", kind, "storage"});
    if (amount == nullptr) continue;
    object::Quantity quantity = quantity_of(*amount);
    if (quantity == object::Quantity::from_units(quantity.value())) continue;
    Path kind_path = resources.child(kind);
    warn(kind_path.key("storage"),
         "fractional byte value " + quoted(amount->as_string()) + " is invalid, must be an integer", warnings);
  }
}

}  // namespace stead::kinds
