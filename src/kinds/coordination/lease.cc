#include <string>

#include "kinds/coordination/coordination_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {
namespace {

void validate(const Value& lease, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = lease.at("spec");
  const Value* duration = spec.find("leaseDurationSeconds");
  if (duration != nullptr && duration->as_int() <= 0) {
    errors.invalid(path.child("leaseDurationSeconds"), *duration, "must be greater than 0");
  }
  const Value* transitions = spec.find("leaseTransitions");
  if (transitions != nullptr) check_not_negative(path.child("leaseTransitions"), *transitions, errors);
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
