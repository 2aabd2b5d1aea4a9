#include <utility>

#include "kinds/apps/replicas_validation.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/policy/policy_rules.h"

namespace stead::kinds {
namespace {

// No pod has this label, so requiring it selects nothing.
constexpr std::string_view kNothingLabel = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";

Value nothing_selector() {
  Value requirement = Value::object({{"key", kNothingLabel}, {"operator", "Exists"}});
  return Value::object({{"matchExpressions", Value::array({std::move(requirement)})}});
}

void validate(const Value& budget, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = budget.at("spec");
  if (spec.find("minAvailable") != nullptr && spec.find("maxUnavailable") != nullptr) {
    errors.invalid(path, spec, "minAvailable and maxUnavailable cannot be both set");
  }
  for (std::string_view name : {"minAvailable", "maxUnavailable"}) {
    const Value* given = spec.find(name);
    if (given == nullptr) continue;
    Path at = path.child(name);
    check_count_or_percent(at, *given, errors);
    check_percent_at_most_100(at, *given, errors);
  }
  if (const Value* selector = spec.find("selector")) check_label_selector(path.child("selector"), *selector, errors);
  check_optional_one_of(path.child("unhealthyPodEvictionPolicy"), spec.at("unhealthyPodEvictionPolicy"),
                        {"AlwaysAllow", "IfHealthyBudget"}, errors);
}

void validate_status_update(const Value& budget, const Value&, FieldErrors& errors) {
  Path path("status");
  for (std::string_view name : {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"}) {
    check_not_negative(path.child(name), budget.at({"status", name}), errors);
  }
}

Value count_cell(const Value& spec, std::string_view name) {
  const Value* given = spec.find(name);
  if (given == nullptr) return "N/A";
  return given->is_int() ? Value(std::to_string(given->as_int())) : *given;
}

std::vector<Value> cells(const Value& budget, WallTime now) {
  const Value& spec = budget.at("spec");
  return {name_of(budget), count_cell(spec, "minAvailable"), count_cell(spec, "maxUnavailable"),
          budget.at({"status", "disruptionsAllowed"}).as_int(), age(budget, now)};
}

}  // namespace

void budget_from_v1beta1(Value& budget) {
  const Value* selector = std::as_const(budget).find({"spec", "selector"});
  if (selector == nullptr) return;
  bool empty = selector->at("matchLabels").empty() && selector->at("matchExpressions").empty();
  if (empty) budget.set({"spec", "selector"}, nothing_selector());
}

void budget_to_v1beta1(Value& budget) {
  const Value* selector = std::as_const(budget).find({"spec", "selector"});
  if (selector != nullptr && *selector == nothing_selector()) budget.set({"spec", "selector"}, Value::object());
}

KindRules pod_disruption_budget_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_status_update = validate_status_update, .cells = cells};
  made.columns = {name_column(),
                  {"Min Available", "string", "", "How many pods must stay available."},
                  {"Max Unavailable", "string", "", "How many pods may be down by choice."},
                  {"Allowed Disruptions", "integer", "", "How many pods may be evicted at present."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
