// Rules of ResourceQuota and LimitRange.

#include <algorithm>
#include <set>

#include "kinds/core/core_rules.h"
#include "kinds/core/resource_validation.h"
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
  check_resource_name(path, name, errors);
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

// Whether a quota of what `scope` selects can limit `resource`. Counts of other kinds and devices are let through.
bool is_in_scope(std::string_view scope, std::string_view resource) {
  if (!contains(kStandard, resource) && !resource.starts_with("hugepages-")) return true;
  if (scope == "BestEffort") return resource == "pods";
  if (scope == "VolumeAttributesClass") return resource == "persistentvolumeclaims" || resource == "requests.storage";
  return contains(kPodResources, resource);
}

// `shown` is the value that errors name.
void validate_scope(const Path& path, std::string_view scope, const Path& whole_path, const Value& shown,
                    const Value& whole, const Value& hard, FieldErrors& errors) {
  if (!contains(kScopes, scope)) {
    errors.invalid(path, shown, "unsupported scope");
    return;
  }
  for (const object::Member& amount : hard.members()) {
    if (is_in_scope(scope, amount.name())) continue;
    errors.invalid(whole_path, whole, "unsupported scope applied to resource");
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
    validate_scope(path, scopes.items()[i].as_string(), path, scopes, scopes, hard, errors);
    seen.insert(scopes.items()[i].as_string());
  }
  check_contradictions(path, seen, errors);
}

// Upstream's paths do not say which expression it is.
void validate_scope_selector(const Path& path, const Value& selector, const Value& hard, FieldErrors& errors) {
  Path at = path.child("matchExpressions");
  std::set<std::string_view> seen;
  for (const Value& requirement : selector.at("matchExpressions").items()) {
    std::string_view scope = requirement.at("scopeName").as_string();
    std::string_view op = requirement.at("operator").as_string();
    validate_scope(at.child("scopeName"), scope, at, Value(scope), selector, hard, errors);
    seen.insert(scope);
    bool by_existence = contains(kScopes, scope) && scope != "PriorityClass" && scope != "VolumeAttributesClass";
    if (by_existence && op != "Exists") {
      errors.invalid(at.child("operator"), Value(op),
                     "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                     "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort "
                     "or ResourceQuotaScopeCrossNamespacePodAffinity");
    }
    bool empty = requirement.at("values").empty();
    if (op == "In" || op == "NotIn") {
      if (!empty) continue;
      errors.required(at.child("values"),
                      "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (empty) continue;
      errors.invalid(at.child("values"), requirement.at("values"),
                     "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
    } else {
      errors.invalid(at.child("operator"), Value(op), "not a valid selector operator");
    }
  }
  check_contradictions(at, seen, errors);
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
  auto scopes_of = [](const Value& document) {
    std::set<std::string_view> scopes;
    for (const Value& scope : document.at({"spec", "scopes"}).items()) scopes.insert(scope.as_string());
    return scopes;
  };
  Path path("spec");
  if (scopes_of(quota) != scopes_of(old)) {
    errors.invalid(path.child("scopes"), quota.at({"spec", "scopes"}), kImmutable);
  }
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

// Two amounts of which the first may not be larger. Errors name the one at `blamed`, and show that at `shown`.
struct Order {
  std::string_view low;
  std::string_view high;
  std::string_view low_text;
  std::string_view high_text;
  std::string_view blamed;
  std::string_view shown;
};
constexpr Order kOrders[] = {
    {"min", "max", "min", "max", "min", "min"},
    {"min", "defaultRequest", "min", "default request", "defaultRequest", "defaultRequest"},
    {"defaultRequest", "max", "default request", "max", "defaultRequest", "defaultRequest"},
    {"defaultRequest", "default", "default request", "default limit", "defaultRequest", "defaultRequest"},
    {"min", "default", "min", "default", "default", "min"},
    {"default", "max", "default", "max", "default", "max"},
};

void check_order(const Path& path, const Value& item, std::string_view name, const Order& order, FieldErrors& errors) {
  const Value* small = item.find({order.low, name});
  const Value* large = item.find({order.high, name});
  if (small == nullptr || large == nullptr || !(quantity_of(*small) > quantity_of(*large))) return;
  Path blamed_path = path.child(order.blamed);
  errors.invalid(blamed_path.key(name), item.at({order.shown, name}),
                 std::string(order.low_text) + " value " + std::string(small->as_string()) + " is greater than " +
                     std::string(order.high_text) + " value " + std::string(large->as_string()));
}

void validate_ratio(const Path& path, const Value& item, std::string_view name, FieldErrors& errors) {
  const Value* ratio = item.find({"maxLimitRequestRatio", name});
  if (ratio == nullptr) return;
  Path ratio_path = path.child("maxLimitRequestRatio");
  std::string text(ratio->as_string());
  if (quantity_of(*ratio) < object::Quantity::from_units(1)) {
    errors.invalid(ratio_path.key(name), *ratio, "ratio " + text + " is less than 1");
  }
  const Value* low = item.find({"min", name});
  const Value* high = item.find({"max", name});
  if (low == nullptr || high == nullptr) return;
  double most =
      static_cast<double>(quantity_of(*high).milli_value()) / static_cast<double>(quantity_of(*low).milli_value());
  double asked = static_cast<double>(quantity_of(*ratio).milli_value()) / 1000;
  if (asked > most) {
    errors.invalid(ratio_path.key(name), *ratio,
                   "ratio " + text + " is greater than max/min = " + std::to_string(most));
  }
}

// What may not be promised twice is asked for in full.
void check_not_overcommitted(const Path& path, const Value& item, std::string_view name, FieldErrors& errors) {
  const Value* limit = item.find({"default", name});
  const Value* request = item.find({"defaultRequest", name});
  if (may_overcommit(name) || limit == nullptr || request == nullptr) return;
  if (quantity_of(*limit) == quantity_of(*request)) return;
  Path request_path = path.child("defaultRequest");
  errors.invalid(request_path.key(name), *request,
                 "default value " + std::string(limit->as_string()) + " must equal to defaultRequest value " +
                     std::string(request->as_string()) + " in " + std::string(name));
}

void check_limit_type(const Path& path, std::string_view type, FieldErrors& errors) {
  constexpr std::string_view kTypes[] = {"Pod", "Container", "PersistentVolumeClaim"};
  if (!check(path, Value(type), object::check_qualified_name(type), errors)) return;
  if (type.find('/') != std::string_view::npos || contains(kTypes, type)) return;
  errors.invalid(path, Value(type), "must be a standard limit type or fully qualified");
}

void validate_limits(const Path& path, const Value& item, FieldErrors& errors) {
  std::string_view type = item.at("type").as_string();
  check_limit_type(path.child("type"), type, errors);
  bool of_pods = type == "Pod" || type == "Container";
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
      if (type == "Pod" && (map == "default" || map == "defaultRequest")) continue;
      Path map_path = path.child(map);
      if (of_pods) {
        check_container_resource(map_path.key(name), name, errors);
      } else {
        check_resource_name(map_path.key(name), name, errors);
      }
    }
    for (const Order& order : kOrders) check_order(path, item, name, order, errors);
    validate_ratio(path, item, name, errors);
    check_not_overcommitted(path, item, name, errors);
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
