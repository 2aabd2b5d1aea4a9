#include <string>

#include "kinds/coordination/coordination_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

// How a holder is chosen where there is a choice (KEP-4355): by a way of Kubernetes' own, or of somebody's domain.
void check_strategy(const Path& path, const Value& strategy, FieldErrors& errors) {
  std::string_view text = strategy.as_string();
  if (text.find('/') != std::string_view::npos) {
    check(path, strategy, object::check_qualified_name(text), errors);
  } else {
    check_optional_one_of(path, strategy, {"OldestEmulationVersion"}, errors);
  }
}

void validate(const Value& lease, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = lease.at("spec");
  const Value* duration = spec.find("leaseDurationSeconds");
  if (duration != nullptr && duration->as_int() <= 0) {
    errors.invalid(path.child("leaseDurationSeconds"), *duration, "must be greater than 0");
  }
  const Value* transitions = spec.find("leaseTransitions");
  if (transitions != nullptr) check_not_negative(path.child("leaseTransitions"), *transitions, errors);
  const Value* strategy = spec.find("strategy");
  if (strategy != nullptr) check_strategy(path.child("strategy"), *strategy, errors);
  if (strategy == nullptr && !is_absent_or_empty(spec.at("preferredHolder"))) {
    errors.forbidden(path.child("preferredHolder"), "may only be specified when `strategy` is defined");
  }
}

std::vector<Value> cells(const Value& lease, WallTime now) {
  return {name_of(lease), text_or(lease.at({"spec", "holderIdentity"}), ""), age(lease, now)};
}

}  // namespace

KindRules lease_rules() {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells};
  made.columns = {name_column(), {"Holder", "string", "", "Who holds it."}, age_column()};
  return made;
}

}  // namespace stead::kinds
