#include "kinds/admissionregistration/match_rules.h"

#include <algorithm>
#include <set>

#include "object/names.h"

namespace stead::kinds {
namespace {

// A list that must not be empty, and in which "*" stands alone.
void check_choices(const Path& path, const Value& list, std::string_view what, FieldErrors& errors) {
  if (list.empty()) return errors.required(path);
  for (const Value& item : list.items()) {
    if (item.as_string() == "*" && list.size() > 1) {
      return errors.invalid(path, list, "if '*' is present, must not specify other " + std::string(what));
    }
  }
}

void check_operations(const Path& path, const Value& operations, FieldErrors& errors) {
  check_choices(path, operations, "operations", errors);
  static constexpr std::string_view kOperations[] = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"};
  for (size_t i = 0; i < operations.size(); ++i) {
    const Value& operation = operations.items()[i];
    if (std::find(std::begin(kOperations), std::end(kOperations), operation.as_string()) == std::end(kOperations)) {
      errors.not_supported(path.index(i), operation, kOperations);
    }
  }
}

}  // namespace

void check_rule_with_operations(const Path& path, const Value& rule, FieldErrors& errors) {
  check_operations(path.child("operations"), rule.at("operations"), errors);
  check_choices(path.child("apiGroups"), rule.at("apiGroups"), "API groups", errors);
  check_choices(path.child("apiVersions"), rule.at("apiVersions"), "API versions", errors);
  for (size_t i = 0; i < rule.at("apiVersions").size(); ++i) {
    const Path versions = path.child("apiVersions");
    if (rule.at("apiVersions").items()[i].as_string().empty()) errors.required(versions.index(i));
  }
  const Value& resources = rule.at("resources");
  const Path at = path.child("resources");
  if (resources.empty()) errors.required(at);
  for (size_t i = 0; i < resources.size(); ++i) {
    std::string_view name = resources.items()[i].as_string();
    if (name.empty()) errors.required(at.index(i));
    if (name == "*/*" && resources.size() > 1) {
      errors.invalid(at, resources, "if '*/*' is present, must not specify other resources");
    }
  }
  check_optional_one_of(path.child("scope"), rule.at("scope"), {"*", "Cluster", "Namespaced"}, errors);
}

namespace {

void check_named_rule(const Path& path, const Value& rule, FieldErrors& errors) {
  const Path names = path.child("resourceNames");
  std::set<std::string_view> seen;
  for (size_t i = 0; i < rule.at("resourceNames").size(); ++i) {
    const Value& name = rule.at("resourceNames").items()[i];
    check(names.index(i), name, object::check_path_segment(name.as_string()), errors);
    if (!seen.insert(name.as_string()).second) errors.duplicate(names.index(i), name);
  }
  check_rule_with_operations(path, rule, errors);
}

}  // namespace

void check_match_resources(const Path& path, const Value& resources, FieldErrors& errors) {
  check_one_of(path.child("matchPolicy"), resources.at("matchPolicy"), {"Equivalent", "Exact"}, errors);
  for (std::string_view name : {"namespaceSelector", "objectSelector"}) {
    const Path here = path.child(name);
    const Value* selector = resources.find(name);
    if (selector == nullptr || selector->is_null()) {
      errors.required(here);
    } else {
      check_label_selector(here, *selector, errors);
    }
  }
  for (std::string_view name : {"resourceRules", "excludeResourceRules"}) {
    const Path list = path.child(name);
    for (size_t i = 0; i < resources.at(name).size(); ++i) {
      check_named_rule(list.index(i), resources.at(name).items()[i], errors);
    }
  }
}

}  // namespace stead::kinds
