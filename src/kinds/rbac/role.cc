// Role and ClusterRole.

#include "kinds/meta/cells.h"
#include "kinds/rbac/rbac_rules.h"

namespace stead::kinds {
namespace {

void validate_rule(const Path& path, const Value& rule, bool namespaced, FieldErrors& errors) {
  if (rule.at("verbs").empty()) errors.required(path.child("verbs"), "verbs must contain at least one value");
  const Value& urls = rule.at("nonResourceURLs");
  const Value& groups = rule.at("apiGroups");
  const Value& resources = rule.at("resources");
  if (!urls.empty()) {
    Path at = path.child("nonResourceURLs");
    if (namespaced) errors.invalid(at, urls, "namespaced rules cannot apply to non-resource URLs");
    if (!groups.empty() || !resources.empty() || !rule.at("resourceNames").empty()) {
      errors.invalid(at, urls, "rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (groups.empty()) errors.required(path.child("apiGroups"), "resource rules must supply at least one api group");
  if (resources.empty()) {
    errors.required(path.child("resources"), "resource rules must supply at least one resource");
  }
}

void validate_rules(const Value& role, bool namespaced, FieldErrors& errors) {
  Path path("rules");
  auto rules = role.at("rules").items();
  for (size_t i = 0; i < rules.size(); ++i) validate_rule(path.index(i), rules[i], namespaced, errors);
}

void validate_role(const Value& role, FieldErrors& errors) { validate_rules(role, true, errors); }

void validate_cluster_role(const Value& role, FieldErrors& errors) {
  validate_rules(role, false, errors);
  const Value* aggregation = role.find("aggregationRule");
  if (aggregation == nullptr || aggregation->is_null()) return;
  Path aggregation_path("aggregationRule");
  Path path = aggregation_path.child("clusterRoleSelectors");
  auto selectors = aggregation->at("clusterRoleSelectors").items();
  if (selectors.empty()) {
    errors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  }
  for (size_t i = 0; i < selectors.size(); ++i) check_label_selector(path.index(i), selectors[i], errors);
}

std::vector<Value> cells(const Value& role, WallTime) {
  return {name_of(role), role.at({"metadata", "creationTimestamp"})};
}

KindRules rules_with(void (*validate)(const Value&, FieldErrors&)) {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells};
  made.columns = {name_column(), {"Created At", "date", "", "When it was made."}};
  return made;
}

}  // namespace

KindRules role_rules() { return rules_with(validate_role); }
KindRules cluster_role_rules() { return rules_with(validate_cluster_role); }

}  // namespace stead::kinds
