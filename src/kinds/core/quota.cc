// Rules of ResourceQuota and LimitRange.

#include <algorithm>
#include <set>

#include "kinds/core/core_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kStandard[] = {"cpu",
                                          "memory",
                                          "ephemeral-storage",
                                          "requests.cpu",
                                          "requests.memory",
                                          "requests.storage",
                                          "requests.ephemeral-storage",
                                          "limits.cpu",
                                          "limits.memory",
                                          "limits.ephemeral-storage",
                                          "pods",
                                          "resourcequotas",
                                          "services",
                                          "replicationcontrollers",
                                          "secrets",
                                          "persistentvolumeclaims",
                                          "configmaps",
                                          "services.nodeports",
                                          "services.loadbalancers"};
// Counted in whole objects.
constexpr std::string_view kWhole[] = {
    "pods",       "resourcequotas",         "services",           "replicationcontrollers", "secrets",
    "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"};
constexpr std::string_view kScopes[] = {"Terminating",          "NotTerminating", "BestEffort",
                                        "NotBestEffort",        "PriorityClass",  "CrossNamespacePodAffinity",
                                        "VolumeAttributesClass"};
// What a quota with a scope over pods may limit.
constexpr std::string_view kPodResources[] = {"pods",
                                              "cpu",
                                              "memory",
                                              "ephemeral-storage",
                                              "requests.cpu",
                                              "requests.memory",
                                              "requests.ephemeral-storage",
                                              "limits.cpu",
                                              "limits.memory",
                                              "limits.ephemeral-storage"};

void check_quota_name(const Path& path, std::string_view name, FieldErrors& errors) {
  check(path, Value(name), object::check_qualified_name(name), errors);
  if (name.find('/') != std::string_view::npos) return;
  bool known = contains(kStandard, name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-");
  if (!known) errors.invalid(path, Value(name), "must be a standard resource for quota");
}

void check_amount(const Path& path, std::string_view name, const Value& amount, FieldErrors& errors) {
  object::Quantity quantity = quantity_of(amount);
  if (quantity.is_negative()) errors.invalid(path, amount, kNotNegative);
  bool whole = contains(kWhole, name) || name.starts_with("count/");
  if (whole && !(quantity == object::Quantity::from_units(quantity.value()))) {
    errors.invalid(path, amount, "must be an integer");
  }
}

void validate_scope(const Path& path, std::string_view scope, const Value& hard, FieldErrors& errors) {
  if (!contains(kScopes, scope)) {
    errors.invalid(path, Value(scope), "unsupported scope");
    return;
  }
  for (const object::Member& amount : hard.members()) {
    if (scope == "VolumeAttributesClass") continue;
    if (scope == "BestEffort" ? amount.name() == "pods" : contains(kPodResources, amount.name())) continue;
    if (amount.name().find('/') != std::string_view::npos && !amount.name().starts_with("count/")) continue;
    errors.invalid(path, Value(scope), "unsupported scope applied to resource");
    return;
  }
}

void check_contradictions(const Path& path, const std::set<std::string_view>& scopes, FieldErrors& errors) {
  constexpr std::pair<std::string_view, std::string_view> kOpposites[] = {{"BestEffort", "NotBestEffort"},
                                                                          {"Terminating", "NotTerminating"}};
  for (const auto& [one, other] : kOpposites) {
    if (scopes.contains(one) && scopes.contains(other)) {
      Value list = Value::array();
      for (std::string_view scope : scopes) list.append(scope);
      errors.invalid(path, list, "conflicting scopes");
    }
  }
}

void validate_scopes(const Path& path, const Value& scopes, const Value& hard, FieldErrors& errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < scopes.size(); ++i) {
    validate_scope(path, scopes.items()[i].as_string(), hard, errors);
    seen.insert(scopes.items()[i].as_string());
  }
  check_contradictions(path, seen, errors);
}

void validate_scope_selector(const Path& path, const Value& selector, const Value& hard, FieldErrors& errors) {
  Path expressions_path = path.child("matchExpressions");
  std::set<std::string_view> seen;
  const Value& expressions = selector.at("matchExpressions");
  for (size_t i = 0; i < expressions.size(); ++i) {
    const Value& requirement = expressions.items()[i];
    Path at = expressions_path.index(i);
    std::string_view scope = requirement.at("scopeName").as_string();
    std::string_view op = requirement.at("operator").as_string();
    validate_scope(at.child("scopeName"), scope, hard, errors);
    seen.insert(scope);
    bool by_existence = scope != "PriorityClass" && scope != "VolumeAttributesClass";
    if (by_existence && op != "Exists") {
      errors.invalid(at.child("operator"), Value(op),
                     "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
                     "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort "
                     "or ResourceQuotaScopeCrossNamespacePodAffinity");
      continue;
    }
    bool empty = requirement.at("values").empty();
    if (op == "In" || op == "NotIn") {
      if (empty)
        errors.required(at.child("values"),
                        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (!empty) {
        errors.invalid(at.child("values"), requirement.at("values"),
                       "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector");
      }
    } else {
      errors.invalid(at.child("operator"), Value(op), "not a valid selector operator");
    }
  }
  check_contradictions(path, seen, errors);
}

void validate_amounts(const Path& path, const Value& amounts, FieldErrors& errors) {
  for (const object::Member& amount : amounts.members()) {
    Path key = path.key(amount.name());
    check_quota_name(key, amount.name(), errors);
    check_amount(key, amount.name(), amount.value, errors);
  }
}

void validate_quota(const Value& quota, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = quota.at("spec");
  const Value& hard = spec.at("hard");
  validate_amounts(path.child("hard"), hard, errors);
  validate_scopes(path.child("scopes"), spec.at("scopes"), hard, errors);
  if (const Value* selector = spec.find("scopeSelector")) {
    validate_scope_selector(path.child("scopeSelector"), *selector, hard, errors);
  }
}

void validate_quota_update(const Value& quota, const Value& old, FieldErrors& errors) {
  Path path("spec");
  check_unchanged(path.child("scopes"), quota.at({"spec", "scopes"}), old.at({"spec", "scopes"}), errors);
}

void validate_quota_status(const Value& quota, const Value&, FieldErrors& errors) {
  Path path("status");
  for (std::string_view name : {"hard", "used"}) validate_amounts(path.child(name), quota.at({"status", name}), errors);
}

// "pods: 1/5, requests.cpu: 500m/2", by name.
std::string amounts_text(const Value& status, bool limits) {
  std::vector<std::string> parts;
  for (const object::Member& hard : status.at("hard").members()) {
    bool is_limit = hard.name().starts_with("limits.");
    if (is_limit != limits) continue;
    const Value* used = status.find({"used", hard.name()});
    parts.push_back(std::string(hard.name()) + ": " + std::string(used == nullptr ? "0" : used->as_string()) + "/" +
                    std::string(hard.value.as_string()));
  }
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::vector<Value> quota_cells(const Value& quota, WallTime now) {
  const Value& status = quota.at("status");
  return {name_of(quota), amounts_text(status, false), amounts_text(status, true), age(quota, now)};
}

// The names that any of an item's maps has.
std::set<std::string_view> names_of(const Value& item) {
  std::set<std::string_view> names;
  for (std::string_view map : {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio"}) {
    for (const object::Member& amount : item.at(map).members()) names.insert(amount.name());
  }
  return names;
}

void check_order(const Path& path, const Value& item, std::string_view name, std::string_view low,
                 std::string_view high, std::string_view low_text, std::string_view high_text, FieldErrors& errors) {
  const Value* small = item.find({low, name});
  const Value* large = item.find({high, name});
  if (small == nullptr || large == nullptr || !(quantity_of(*small) > quantity_of(*large))) return;
  Path low_path = path.child(low);
  errors.invalid(low_path.key(name), *small,
                 std::string(low_text) + " value " + std::string(small->as_string()) + " is greater than " +
                     std::string(high_text) + " value " + std::string(large->as_string()));
}

void validate_ratio(const Path& path, const Value& item, std::string_view name, FieldErrors& errors) {
  const Value* ratio = item.find({"maxLimitRequestRatio", name});
  if (ratio == nullptr) return;
  Path ratio_path = path.child("maxLimitRequestRatio");
  if (quantity_of(*ratio) < object::Quantity::from_units(1)) {
    errors.invalid(ratio_path.key(name), *ratio, "ratio " + std::string(ratio->as_string()) + " is less than 1");
  }
}

void validate_limits(const Path& path, const Value& item, FieldErrors& errors) {
  std::string_view type = item.at("type").as_string();
  check(path.child("type"), item.at("type"), object::check_qualified_name(type), errors);
  if (type == "Pod") {
    for (std::string_view map : {"default", "defaultRequest"}) {
      if (!item.at(map).empty()) errors.forbidden(path.child(map), "may not be specified when `type` is 'Pod'");
    }
  }
  bool claim = type == "PersistentVolumeClaim";
  if (claim && item.find({"min", "storage"}) == nullptr && item.find({"max", "storage"}) == nullptr) {
    Path limits_path = path.child("limits");
    errors.required(limits_path, "either minimum or maximum storage value is required, but neither was provided");
  }
  for (std::string_view name : names_of(item)) {
    for (std::string_view map : {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio"}) {
      const Value* amount = item.find({map, name});
      if (amount == nullptr) continue;
      Path map_path = path.child(map);
      check(map_path.key(name), Value(name), object::check_qualified_name(name), errors);
      if (quantity_of(*amount).is_negative()) errors.invalid(map_path.key(name), *amount, kNotNegative);
    }
    check_order(path, item, name, "min", "max", "min", "max", errors);
    check_order(path, item, name, "min", "defaultRequest", "min", "default request", errors);
    check_order(path, item, name, "defaultRequest", "max", "default request", "max", errors);
    check_order(path, item, name, "defaultRequest", "default", "default request", "default limit", errors);
    check_order(path, item, name, "min", "default", "min", "default", errors);
    check_order(path, item, name, "default", "max", "default", "max", errors);
    validate_ratio(path, item, name, errors);
  }
}

void validate_limit_range(const Value& range, FieldErrors& errors) {
  Path spec("spec");
  Path path = spec.child("limits");
  std::set<std::string_view> types;
  auto items = range.at({"spec", "limits"}).items();
  for (size_t i = 0; i < items.size(); ++i) {
    Path at = path.index(i);
    std::string_view type = items[i].at("type").as_string();
    if (!types.insert(type).second) errors.duplicate(at.child("type"), Value(type));
    validate_limits(at, items[i], errors);
  }
}

std::vector<Value> limit_range_cells(const Value& range, WallTime now) {
  (void)now;
  return {name_of(range), range.at({"metadata", "creationTimestamp"})};
}

void copy_missing(Value& item, std::string_view to, std::string_view from) {
  Value amounts = item.at(from);
  for (const object::Member& amount : amounts.members()) {
    if (item.find({to, amount.name()}) == nullptr) item.set({to, amount.name()}, amount.value);
  }
}

}  // namespace

// A container's default limit is its maximum, its default request its default limit or else its minimum.
void set_limit_range_defaults(Value& range) {
  Value* limits = range["spec"].find("limits");
  if (limits == nullptr || !limits->is_array()) return;
  for (Value& item : limits->mutable_items()) {
    if (item.at("type").as_string() != "Container") continue;
    copy_missing(item, "default", "max");
    copy_missing(item, "defaultRequest", "default");
    copy_missing(item, "defaultRequest", "min");
  }
}

KindRules resource_quota_rules() {
  KindRules made;
  made.rules = {.validate = validate_quota,
                .validate_update = validate_quota_update,
                .validate_status_update = validate_quota_status,
                .cells = quota_cells};
  made.columns = {name_column(),
                  {"Request", "string", "", "Requests and counts in use, of those allowed."},
                  {"Limit", "string", "", "Limits in use, of those allowed."},
                  age_column()};
  return made;
}

KindRules limit_range_rules() {
  KindRules made;
  made.rules = {.validate = validate_limit_range, .cells = limit_range_cells};
  made.columns = {name_column(), {"Created At", "date", "", "When it was made."}};
  return made;
}

}  // namespace stead::kinds
