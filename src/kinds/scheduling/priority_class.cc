#include <algorithm>
#include <string>

#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/scheduling/scheduling_rules.h"

namespace stead::kinds {
namespace {

constexpr int64_t kUserPriorityMax = 1'000'000'000;
constexpr std::string_view kSystemPrefix = "system-";

constexpr SystemPriorityClass kSystemClasses[] = {
    {"system-node-critical", 2'000'001'000,
     "Used for system critical pods that must not be moved from their current node."},
    {"system-cluster-critical", 2'000'000'000,
     "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."},
};

bool is_system_class(const Value& document) {
  std::string name(name_of(document).as_string());
  return std::any_of(std::begin(kSystemClasses), std::end(kSystemClasses), [&](const SystemPriorityClass& one) {
    return one.name == name && one.value == document.at("value").as_int() && !document.at("globalDefault").as_bool();
  });
}

void validate(const Value& document, FieldErrors& errors) {
  Path metadata("metadata");
  Value name = name_of(document);
  if (name.as_string().starts_with(kSystemPrefix)) {
    if (!is_system_class(document)) {
      errors.forbidden(metadata.child("name"), "priority class names with '" + std::string(kSystemPrefix) +
                                                   "' prefix are reserved for system use only");
    }
  } else if (document.at("value").as_int() > kUserPriorityMax) {
    errors.forbidden(Path("value"),
                     "maximum allowed value of a user defined priority is " + std::to_string(kUserPriorityMax));
  }
  check_optional_one_of(Path("preemptionPolicy"), document.at("preemptionPolicy"), {"PreemptLowerPriority", "Never"},
                        errors);
}

void validate_update(const Value& document, const Value& old, FieldErrors& errors) {
  if (document.at("value").as_int() != old.at("value").as_int()) {
    errors.forbidden(Path("value"), "may not be changed in an update.");
  }
  check_unchanged(Path("preemptionPolicy"), document.at("preemptionPolicy"), old.at("preemptionPolicy"), errors);
}

std::vector<Value> cells(const Value& document, WallTime now) {
  return {name_of(document), document.at("value").as_int(), document.at("globalDefault").as_bool(), age(document, now),
          text_or(document.at("preemptionPolicy"), "")};
}

}  // namespace

std::span<const SystemPriorityClass> system_priority_classes() { return kSystemClasses; }

KindRules priority_class_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(),
                  {"Value", "integer", "", "The priority as a number; higher goes first."},
                  {"Global-Default", "boolean", "", "Whether pods without a class get this one."},
                  age_column(),
                  {"PreemptionPolicy", "string", "", "Whether pods of lower priority may be removed to make room."}};
  return made;
}

}  // namespace stead::kinds
