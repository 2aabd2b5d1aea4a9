#include "kinds/core/pod_spec_validation.h"

#include <cerrno>
#include <cstdlib>
#include <limits>
#include <set>
#include <string>

#include "kinds/core/affinity_validation.h"
#include "kinds/core/container_validation.h"
#include "kinds/core/os_validation.h"
#include "kinds/core/resource_validation.h"
#include "kinds/core/security_validation.h"
#include "kinds/meta/metadata.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

// What a resolver of the C library takes (KEP-504, KEP-2595).
constexpr size_t kNameserversMax = 3;
constexpr size_t kSearchesMax = 32;
constexpr size_t kSearchCharactersMax = 2048;

// DNS names in search lists may have underscores and a final dot (KEP-4427).
std::string check_search(std::string_view search) {
  if (search == ".") return {};
  if (search.ends_with('.')) search.remove_suffix(1);
  std::string relaxed(search);
  for (char& c : relaxed) {
    if (c == '_') c = 'a';
  }
  if (object::check_dns1123_subdomain(relaxed).empty()) return {};
  return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must "
         "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
         "'[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?(\\.[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?)*')";
}

void validate_dns_config(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* config = spec.find("dnsConfig");
  if (spec.at("dnsPolicy").as_string() == "None") {
    if (config == nullptr) {
      errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
      return;
    }
    if (config->at("nameservers").empty()) {
      errors.required(path.child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None");
      return;
    }
  }
  if (config == nullptr) return;
  const Value& servers = config->at("nameservers");
  Path servers_path = path.child("nameservers");
  if (servers.size() > kNameserversMax) errors.invalid(servers_path, servers, "must not have more than 3 nameservers");
  for (size_t i = 0; i < servers.size(); ++i) {
    const Value& server = servers.items()[i];
    check(servers_path.index(i), server, object::check_ip(server.as_string()), errors);
  }
  const Value& searches = config->at("searches");
  Path searches_path = path.child("searches");
  if (searches.size() > kSearchesMax) {
    errors.invalid(searches_path, searches, "must not have more than 32 search paths");
  }
  size_t characters = searches.empty() ? 0 : searches.size() - 1;
  for (size_t i = 0; i < searches.size(); ++i) {
    const Value& search = searches.items()[i];
    characters += search.as_string().size();
    check(searches_path.index(i), search, check_search(search.as_string()), errors);
  }
  if (characters > kSearchCharactersMax) {
    errors.invalid(searches_path, searches,
                   "must not have more than 2048 characters (including spaces) in the search list");
  }
  Path options_path = path.child("options");
  auto options = config->at("options").items();
  for (size_t i = 0; i < options.size(); ++i) {
    if (is_absent_or_empty(options[i].at("name"))) errors.required(options_path.index(i), "must not be empty");
  }
}

void validate_host_network(const Path& path, const Value& spec, PodSpecOwner owner, FieldErrors& errors) {
  if (!spec.at("hostNetwork").as_bool()) return;
  Path containers_path = path.child("containers");
  auto containers = spec.at("containers").items();
  for (size_t i = 0; i < containers.size(); ++i) {
    Path container_path = containers_path.index(i);
    Path ports_path = container_path.child("ports");
    auto ports = containers[i].at("ports").items();
    for (size_t j = 0; j < ports.size(); ++j) {
      int64_t host = ports[j].at("hostPort").as_int();
      // In a template 0 is fine: the pod made from it gets its default.
      if (host == 0 && owner == PodSpecOwner::kTemplate) continue;
      if (host == ports[j].at("containerPort").as_int()) continue;
      Path at = ports_path.index(j);
      errors.invalid(at.child("hostPort"), Value(host), "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

void validate_host_users(const Path& path, const Value& spec, FieldErrors& errors) {
  if (spec.at("hostUsers").as_bool(true)) return;
  constexpr std::string_view kWhy = "when `pod.Spec.HostUsers` is false";
  if (spec.at("hostNetwork").as_bool()) errors.forbidden(path.child("hostNetwork"), kWhy);
  if (spec.at("hostPID").as_bool()) errors.forbidden(path.child("HostPID"), kWhy);
  if (spec.at("hostIPC").as_bool()) errors.forbidden(path.child("HostIPC"), kWhy);
}

void validate_gates(const Path& path, const Value& spec, FieldErrors& errors) {
  Path readiness_path = path.child("readinessGates");
  auto readiness = spec.at("readinessGates").items();
  for (size_t i = 0; i < readiness.size(); ++i) {
    std::string_view type = readiness[i].at("conditionType").as_string();
    Path at = readiness_path.index(i);
    check(at.child("conditionType"), Value(type), object::check_qualified_name(type), errors);
  }
  Path scheduling_path = path.child("schedulingGates");
  auto scheduling = spec.at("schedulingGates").items();
  std::set<std::string_view> seen;
  for (size_t i = 0; i < scheduling.size(); ++i) {
    std::string_view name = scheduling[i].at("name").as_string();
    check(scheduling_path.index(i), Value(name), object::check_qualified_name(name), errors);
    if (!seen.insert(name).second) errors.duplicate(scheduling_path.index(i), Value(name));
  }
}

void validate_host_aliases(const Path& path, const Value& aliases, FieldErrors& errors) {
  for (size_t i = 0; i < aliases.size(); ++i) {
    const Value& alias = aliases.items()[i];
    Path at = path.index(i);
    check(at.child("ip"), Value(alias.at("ip").as_string()), object::check_ip(alias.at("ip").as_string()), errors);
    Path names_path = at.child("hostnames");
    auto names = alias.at("hostnames").items();
    for (size_t j = 0; j < names.size(); ++j) {
      check(names_path.index(j), names[j], object::check_dns1123_subdomain(names[j].as_string()), errors);
    }
  }
}

void validate_names(const Path& path, const Value& spec, FieldErrors& errors) {
  for (std::string_view field : {"serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"}) {
    const Value& name = spec.at(field);
    bool skip = is_absent_or_empty(name) && field != "runtimeClassName";
    if (skip || name.is_null()) continue;
    check(path.child(field), name, object::check_dns1123_subdomain(name.as_string()), errors);
  }
  for (std::string_view field : {"hostname", "subdomain"}) {
    const Value& name = spec.at(field);
    if (is_absent_or_empty(name)) continue;
    check(path.child(field), name, object::check_dns1123_label(name.as_string()), errors);
  }
}

// What a pod calls itself whatever else is said (KEP-4762).
void validate_host_name(const Path& path, const Value& spec, FieldErrors& errors) {
  constexpr size_t kHostNameBytesMax = 64;
  const Value* name = spec.find("hostnameOverride");
  if (name == nullptr) return;
  Path at = path.child("hostnameOverride");
  if (name->as_string().size() > kHostNameBytesMax) errors.too_long(at, *name, kHostNameBytesMax);
  check(at, *name, object::check_dns1123_subdomain(name->as_string()), errors);
  if (spec.at("hostNetwork").as_bool()) errors.forbidden(at, "may not be specified when hostNetwork is true");
  if (spec.at("setHostnameAsFQDN").as_bool()) {
    errors.forbidden(at, "may not be specified when setHostnameAsFQDN is true");
  }
}

void validate_policies(const Path& path, const Value& spec, FieldErrors& errors) {
  check_one_of(path.child("restartPolicy"), spec.at("restartPolicy"), {"Always", "OnFailure", "Never"}, errors);
  check_one_of(path.child("dnsPolicy"), spec.at("dnsPolicy"),
               {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"}, errors);
  if (const Value* preemption = spec.find("preemptionPolicy")) {
    check_one_of(path.child("preemptionPolicy"), *preemption, {"PreemptLowerPriority", "Never"}, errors);
  }
  if (const Value* deadline = spec.find("activeDeadlineSeconds")) {
    check_range(path.child("activeDeadlineSeconds"), *deadline, 1, std::numeric_limits<int32_t>::max(), errors);
  }
}

std::set<std::string_view> validate_claims(const Path& path, const Value& claims, FieldErrors& errors) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < claims.size(); ++i) {
    const Value& claim = claims.items()[i];
    Path at = path.index(i);
    const Value& name = claim.at("name");
    if (check_present(at.child("name"), name, errors)) {
      if (names.insert(name.as_string()).second) {
        check(at.child("name"), name, object::check_dns1123_label(name.as_string()), errors);
      } else {
        errors.duplicate(at.child("name"), name);
      }
    }
    int found = 0;
    for (std::string_view kind : {"resourceClaimName", "resourceClaimTemplateName"}) {
      const Value* of = claim.find(kind);
      if (of == nullptr) continue;
      ++found;
      check(at.child(kind), *of, object::check_dns1123_subdomain(of->as_string()), errors);
    }
    if (found > 1) {
      errors.invalid(at, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
    } else if (found == 0) {
      errors.invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    }
  }
  return names;
}

}  // namespace

void validate_tolerations(const Path& path, const Value& tolerations, FieldErrors& errors) {
  for (size_t i = 0; i < tolerations.size(); ++i) {
    const Value& toleration = tolerations.items()[i];
    Path at = path.index(i);
    std::string_view key = toleration.at("key").as_string();
    std::string_view op = toleration.at("operator").as_string();
    std::string_view value = toleration.at("value").as_string();
    if (!key.empty()) check(at.child("key"), Value(key), object::check_qualified_name(key), errors);
    if (key.empty() && op != "Exists") {
      errors.invalid(at.child("operator"), Value(op),
                     "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    }
    const Value& effect = toleration.at("effect");
    if (toleration.find("tolerationSeconds") != nullptr && effect.as_string() != "NoExecute") {
      errors.invalid(at.child("effect"), Value(effect.as_string()),
                     "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    if (op.empty() || op == "Equal") {
      check(at.child("operator"), Value(value), object::check_label_value(value), errors);
    } else if (op == "Exists") {
      if (!value.empty()) {
        errors.invalid(at.child("operator"), Value(value), "value must be empty when `operator` is 'Exists'");
      }
    } else {
      check_optional_one_of(at.child("operator"), toleration.at("operator"), {"Equal", "Exists"}, errors);
    }
    if (!is_absent_or_empty(effect)) {
      check_optional_one_of(at.child("effect"), effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"}, errors);
    }
  }
}

void validate_pod_annotations(const Path& path, const Value& annotations, const Value& spec, FieldErrors& errors) {
  constexpr std::string_view kMirror = "kubernetes.io/config.mirror";
  constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
  if (const Value* mirror = annotations.find(kMirror)) {
    if (is_absent_or_empty(spec.at("nodeName"))) {
      errors.invalid(path.key(kMirror), *mirror, "must set spec.nodeName if mirror pod annotation is set");
    }
  }
  if (const Value* cost = annotations.find(kDeletionCost)) {
    std::string text(cost->as_string());
    char* end = nullptr;
    errno = 0;
    long long number = std::strtoll(text.c_str(), &end, 10);
    bool plain = !text.empty() && *end == '\0' && errno == 0 && text[0] != '+' && text[0] != ' ' &&
                 !(text.size() > 1 && text[0] == '0');
    if (!plain || number < INT32_MIN || number > INT32_MAX) {
      errors.invalid(path.key(kDeletionCost), *cost, "must be a 32bit integer");
    }
  }
}

void validate_pod_spec(const Path& path, const Value& spec, const Value& metadata, PodSpecOwner owner,
                       FieldErrors& errors) {
  if (spec.find("terminationGracePeriodSeconds") == nullptr) {
    errors.required(path.child("terminationGracePeriodSeconds"));
  }
  VolumesByName volumes = validate_volumes(path.child("volumes"), spec.at("volumes"), metadata, owner, errors);
  std::set<std::string_view> claims = validate_claims(path.child("resourceClaims"), spec.at("resourceClaims"), errors);
  ContainerContext context{spec, volumes, claims};
  validate_containers(path.child("containers"), context, errors);
  validate_init_containers(path.child("initContainers"), context, errors);
  validate_ephemeral_containers(path.child("ephemeralContainers"), context, errors);
  validate_pod_resources(path.child("resources"), spec, errors);
  validate_host_network(path, spec, owner, errors);
  validate_policies(path, spec, errors);
  check_labels(path.child("nodeSelector"), spec.at("nodeSelector"), errors);
  if (const Value* security = spec.find("securityContext")) {
    validate_pod_security(path.child("securityContext"), *security, spec, errors);
  }
  if (const Value* affinity = spec.find("affinity")) {
    validate_affinity(path.child("affinity"), *affinity, errors);
  }
  validate_dns_config(path.child("dnsConfig"), spec, errors);
  validate_gates(path, spec, errors);
  validate_spread_constraints(path.child("topologySpreadConstraints"), spec.at("topologySpreadConstraints"), errors);
  validate_host_users(path, spec, errors);
  validate_names(path, spec, errors);
  validate_host_name(path, spec, errors);
  validate_tolerations(path.child("tolerations"), spec.at("tolerations"), errors);
  validate_host_aliases(path.child("hostAliases"), spec.at("hostAliases"), errors);
  if (const Value* overhead = spec.find("overhead")) {
    validate_container_resources(path.child("overhead"), Value::object({{"limits", *overhead}}), errors);
  }
  validate_os(path, spec, errors);
}

void validate_pod_template(const Path& path, const Value& pod_template, FieldErrors& errors) {
  const Value& metadata = pod_template.at("metadata");
  const Value& spec = pod_template.at("spec");
  check_labels(path.child("labels"), metadata.at("labels"), errors);
  check_annotations(path.child("annotations"), metadata.at("annotations"), errors);
  validate_pod_annotations(path.child("annotations"), metadata.at("annotations"), spec, errors);
  Path spec_path = path.child("spec");
  // A template's own name is nobody's, so claims of ephemeral volumes cannot be foreseen.
  validate_pod_spec(spec_path, spec, Value(), PodSpecOwner::kTemplate, errors);
  if (!spec.at("ephemeralContainers").empty()) {
    errors.forbidden(spec_path.child("ephemeralContainers"), "ephemeral containers not allowed in pod template");
  }
}

}  // namespace stead::kinds
