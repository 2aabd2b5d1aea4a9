#include "kinds/core/resource_validation.h"

#include <string>

#include "kinds/semantics/pod_requests.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kContainerResources[] = {"cpu", "memory", "ephemeral-storage"};
constexpr std::string_view kStandardResources[] = {"cpu",
                                                   "memory",
                                                   "ephemeral-storage",
                                                   "requests.cpu",
                                                   "requests.memory",
                                                   "requests.ephemeral-storage",
                                                   "limits.cpu",
                                                   "limits.memory",
                                                   "limits.ephemeral-storage",
                                                   "pods",
                                                   "resourcequotas",
                                                   "services",
                                                   "replicationcontrollers",
                                                   "secrets",
                                                   "configmaps",
                                                   "persistentvolumeclaims",
                                                   "storage",
                                                   "requests.storage",
                                                   "services.nodeports",
                                                   "services.loadbalancers"};

// Counted in whole objects.
constexpr std::string_view kCounted[] = {
    "pods",       "resourcequotas",         "services",           "replicationcontrollers", "secrets",
    "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"};

bool is_huge_pages(std::string_view name) { return name.starts_with("hugepages-"); }

// What is named as a device: under a domain that is not Kubernetes' own, and short enough to be a quota's name too.
bool is_extended(std::string_view name) {
  return !is_native_resource(name) && !name.starts_with("requests.") &&
         object::check_qualified_name("requests." + std::string(name)).empty();
}

bool is_whole_pages(std::string_view name, const object::Quantity& amount) {
  auto size = object::Quantity::parse(name.substr(std::string_view("hugepages-").size()));
  if (!size.ok() || size->value() <= 0) return false;
  return amount == object::Quantity::from_units(amount.value()) && amount.value() % size->value() == 0;
}

void check_pages(const Path& path, const object::Member& amount, FieldErrors& errors) {
  if (!is_huge_pages(amount.name()) || is_whole_pages(amount.name(), quantity_of(amount.value))) return;
  errors.invalid(
      path, amount.value,
      std::string(amount.value.as_string()) + " is not positive integer multiple of " + std::string(amount.name()));
}

void check_against_limit(const Path& path, const object::Member& request, const Value& limits, FieldErrors& errors) {
  std::string_view name = request.name();
  Path requests_path = path.child("requests");
  const Value* limit = limits.find(name);
  if (limit == nullptr) {
    if (!may_overcommit(name)) {
      errors.required(path.child("limits"), "Limit must be set for non overcommitable resources");
    }
    return;
  }
  object::Quantity asked = quantity_of(request.value);
  object::Quantity most = quantity_of(*limit);
  std::string bound = std::string(name) + " limit of " + std::string(limit->as_string());
  if (!may_overcommit(name) && !(asked == most)) {
    errors.invalid(requests_path, request.value, "must be equal to " + bound);
  } else if (asked > most) {
    errors.invalid(requests_path, request.value, "must be less than or equal to " + bound);
  }
}

using CheckName = void (*)(const Path& path, std::string_view name, FieldErrors& errors);

void validate_requirements(const Path& path, const Value& resources, CheckName check_name, FieldErrors& errors) {
  const Value& limits = resources.at("limits");
  bool huge = false;
  bool has_cpu_or_memory = false;
  for (std::string_view which : {"limits", "requests"}) {
    Path which_path = path.child(which);
    for (const object::Member& amount : resources.at(which).members()) {
      Path key = which_path.key(amount.name());
      check_name(key, amount.name(), errors);
      check_resource_amount(key, amount.name(), amount.value, errors);
      if (which == "requests") check_against_limit(path, amount, limits, errors);
      check_pages(key, amount, errors);
      huge |= is_huge_pages(amount.name());
      has_cpu_or_memory |= amount.name() == "cpu" || amount.name() == "memory";
    }
  }
  if (huge && !has_cpu_or_memory) errors.forbidden(path, "HugePages require cpu or memory");
}

void check_pod_resource(const Path& path, std::string_view name, FieldErrors& errors) {
  size_t before = errors.size();
  check_resource_name(path, name, errors);
  if (errors.size() > before || name == "cpu" || name == "memory" || is_huge_pages(name)) return;
  std::string_view supported[] = {"cpu", "hugepages-", "memory"};
  errors.not_supported(path, Value(name), supported);
}

// The pod has room for its containers together, and for each one's limit.
void check_room(const Path& path, const Value& spec, FieldErrors& errors) {
  Path requests_path = path.child("requests");
  for (const auto& [name, asked] : container_requests(spec)) {
    const Value& most = spec.at({"resources", "requests", name});
    bool is_pod_level = name == "cpu" || name == "memory" || is_huge_pages(name);
    if (!is_pod_level || asked <= quantity_of(most)) continue;
    errors.invalid(requests_path.key(name), Value(most.is_null() ? "0" : most.as_string()),
                   "must be greater than or equal to aggregate container requests of " + asked.str());
  }
  Path containers_path = path.child("containers");
  auto containers = spec.at("containers").items();
  for (size_t i = 0; i < containers.size(); ++i) {
    Path at = containers_path.index(i);
    for (const object::Member& limit : containers[i].at({"resources", "limits"}).members()) {
      const Value* most = spec.find({"resources", "limits", limit.name()});
      if (most == nullptr || quantity_of(limit.value) <= quantity_of(*most)) continue;
      Path key = at.key(limit.name());
      errors.invalid(key.child("limits"), limit.value,
                     "must be less than or equal to pod limits of " + std::string(most->as_string()));
    }
  }
}

}  // namespace

bool may_overcommit(std::string_view name) { return is_native_resource(name) && !is_huge_pages(name); }

void check_resource_name(const Path& path, std::string_view name, FieldErrors& errors) {
  if (!check(path, Value(name), object::check_qualified_name(name), errors)) return;
  bool has_domain = name.find('/') != std::string_view::npos;
  bool pages = is_huge_pages(name) || name.starts_with("requests.hugepages-");
  if (has_domain || pages || contains(kStandardResources, name)) return;
  errors.invalid(path, Value(name), "must be a standard resource type or fully qualified");
}

void check_container_resource(const Path& path, std::string_view name, FieldErrors& errors) {
  check_resource_name(path, name, errors);
  bool has_domain = name.find('/') != std::string_view::npos;
  if (!has_domain) {
    if (is_huge_pages(name) || contains(kContainerResources, name)) return;
    errors.invalid(path, Value(name), "must be a standard resource for containers");
  } else if (!is_native_resource(name) && !is_extended(name)) {
    errors.invalid(path, Value(name), "doesn't follow extended resource name standard");
  }
}

void check_resource_amount(const Path& path, std::string_view name, const Value& amount, FieldErrors& errors) {
  object::Quantity quantity = quantity_of(amount);
  if (quantity.is_negative()) errors.invalid(path, amount, kNotNegative);
  bool counted = contains(kCounted, name) || is_extended(name);
  if (counted && !(quantity == object::Quantity::from_units(quantity.value()))) {
    errors.invalid(path, amount, "must be an integer");
  }
}

void validate_claim_names(const Path& path, const Value& claims, const std::set<std::string_view>& of_pod,
                          FieldErrors& errors) {
  std::set<std::string> seen;
  for (size_t i = 0; i < claims.size(); ++i) {
    Path at = path.index(i);
    std::string name(claims.items()[i].at("name").as_string());
    const Value& request = claims.items()[i].at("request");
    if (name.empty()) {
      errors.required(at);
      continue;
    }
    std::string key = name;
    if (!is_absent_or_empty(request)) {
      check(at.child("request"), request, object::check_dns1123_label(request.as_string()), errors);
      key += "/" + std::string(request.as_string());
    }
    auto inside = seen.lower_bound(name + "/");
    bool part_seen = key == name && inside != seen.end() && inside->starts_with(name + "/");
    if (seen.contains(name) || part_seen) {
      errors.duplicate(at, Value(name));
    } else if (!seen.insert(key).second) {
      errors.duplicate(at, Value(key));
    }
    if (of_pod.contains(name)) continue;
    std::string known;
    for (std::string_view one : of_pod) known += (known.empty() ? ": " : ", ") + std::string(one);
    errors.not_found(
        at, Value(name),
        "must be one of the names in pod.spec.resourceClaims" + (known.empty() ? " which is empty" : known));
  }
}

void validate_pod_resources(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* resources = spec.find("resources");
  if (resources == nullptr) return;
  if (resources->find("claims") != nullptr) {
    errors.forbidden(path.child("claims"), "claims cannot be set for Resources at pod-level");
  }
  validate_requirements(path, *resources, check_pod_resource, errors);
  check_room(path, spec, errors);
}

bool is_native_resource(std::string_view name) {
  return name.find('/') == std::string_view::npos || name.find("kubernetes.io/") != std::string_view::npos;
}

void validate_container_resources(const Path& path, const Value& resources, FieldErrors& errors) {
  validate_requirements(path, resources, check_container_resource, errors);
}

void validate_resource_list(const Path& path, const Value& amounts, FieldErrors& errors) {
  for (const object::Member& amount : amounts.members()) {
    check_resource_amount(path.child(amount.name()), amount.name(), amount.value, errors);
  }
}

}  // namespace stead::kinds
