#include "kinds/core/resource_validation.h"

#include <algorithm>

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

bool is_huge_pages(std::string_view name) { return name.starts_with("hugepages-"); }

bool is_extended(std::string_view name) { return !is_native_resource(name) && !name.starts_with("requests."); }

// Memory may be promised twice; pages set aside and devices may not.
bool may_overcommit(std::string_view name) { return is_native_resource(name) && !is_huge_pages(name); }

void check_name(const Path& path, std::string_view name, FieldErrors& errors) {
  check(path, Value(name), object::check_qualified_name(name), errors);
  bool has_domain = name.find('/') != std::string_view::npos;
  if (!has_domain) {
    if (is_huge_pages(name)) return;
    if (!contains(kStandardResources, name)) {
      errors.invalid(path, Value(name), "must be a standard resource type or fully qualified");
    }
    if (!contains(kContainerResources, name)) {
      errors.invalid(path, Value(name), "must be a standard resource for containers");
    }
  } else if (!is_native_resource(name) && !is_extended(name)) {
    errors.invalid(path, Value(name), "doesn't follow extended resource name standard");
  }
}

void check_amount(const Path& path, std::string_view name, const Value& amount, FieldErrors& errors) {
  object::Quantity quantity = quantity_of(amount);
  if (quantity.is_negative()) errors.invalid(path, amount, kNotNegative);
  bool counted = !is_native_resource(name) || name == "pods";
  if (counted && !(quantity == object::Quantity::from_units(quantity.value()))) {
    errors.invalid(path, amount, "must be an integer");
  }
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

}  // namespace

bool is_native_resource(std::string_view name) {
  return name.find('/') == std::string_view::npos || name.find("kubernetes.io/") != std::string_view::npos;
}

void validate_container_resources(const Path& path, const Value& resources, FieldErrors& errors) {
  const Value& limits = resources.at("limits");
  bool huge = false;
  bool has_cpu_or_memory = false;
  for (std::string_view which : {"limits", "requests"}) {
    Path which_path = path.child(which);
    for (const object::Member& amount : resources.at(which).members()) {
      Path key = which_path.key(amount.name());
      check_name(key, amount.name(), errors);
      if (which == "requests") check_against_limit(path, amount, limits, errors);
      check_amount(key, amount.name(), amount.value, errors);
      huge |= is_huge_pages(amount.name());
      has_cpu_or_memory |= amount.name() == "cpu" || amount.name() == "memory";
    }
  }
  if (huge && !has_cpu_or_memory) errors.forbidden(path, "HugePages require cpu or memory");
}

void validate_resource_list(const Path& path, const Value& amounts, FieldErrors& errors) {
  for (const object::Member& amount : amounts.members()) {
    Path key = path.key(amount.name());
    check(key, Value(amount.name()), object::check_qualified_name(amount.name()), errors);
    check_amount(key, amount.name(), amount.value, errors);
  }
}

}  // namespace stead::kinds
