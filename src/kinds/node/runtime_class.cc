#include "kinds/core/pod_spec_validation.h"
#include "kinds/core/resource_validation.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/node/node_group_rules.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

void validate(const Value& runtime_class, FieldErrors& errors) {
  const Value& handler = runtime_class.at("handler");
  check(Path("handler"), Value(handler.as_string()), object::check_dns1123_label(handler.as_string()), errors);
  if (const Value* overhead = runtime_class.find("overhead")) {
    Path path("overhead");
    validate_container_resources(path, Value::object({{"limits", overhead->at("podFixed")}}), errors);
  }
  if (const Value* scheduling = runtime_class.find("scheduling")) {
    Path path("scheduling");
    check_labels(path.child("nodeSelector"), scheduling->at("nodeSelector"), errors);
    validate_tolerations(path.child("tolerations"), scheduling->at("tolerations"), errors);
  }
}

void validate_update(const Value& runtime_class, const Value& old, FieldErrors& errors) {
  check_unchanged(Path("handler"), runtime_class.at("handler"), old.at("handler"), errors);
}

std::vector<Value> cells(const Value& runtime_class, WallTime now) {
  return {name_of(runtime_class), runtime_class.at("handler"), age(runtime_class, now)};
}

}  // namespace

KindRules runtime_class_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(), {"Handler", "string", "", "The runtime's handler."}, age_column()};
  return made;
}

}  // namespace stead::kinds
