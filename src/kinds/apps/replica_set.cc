#include "kinds/apps/apps_rules.h"
#include "kinds/apps/replicas_validation.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {
namespace {

void validate(const Value& set, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = set.at("spec");
  check_not_negative(path.child("replicas"), spec.at("replicas"), errors);
  check_not_negative(path.child("minReadySeconds"), spec.at("minReadySeconds"), errors);
  validate_selected_template(path, spec, errors);
}

void validate_update(const Value& set, const Value& old, FieldErrors& errors) {
  Path path("spec");
  check_unchanged(path.child("selector"), set.at({"spec", "selector"}), old.at({"spec", "selector"}), errors);
}

void validate_status_update(const Value& set, const Value&, FieldErrors& errors) {
  Path path("status");
  const Value& status = set.at("status");
  for (std::string_view name : {"replicas", "terminatingReplicas", "observedGeneration"}) {
    check_not_negative(path.child(name), status.at(name), errors);
  }
  check_status_counts(status, {"fullyLabeledReplicas", "readyReplicas", "availableReplicas"}, errors);
  if (status.at("availableReplicas").as_int() > status.at("readyReplicas").as_int()) {
    errors.invalid(path.child("availableReplicas"), status.at("availableReplicas"),
                   "cannot be greater than readyReplicas");
  }
}

std::vector<Value> cells(const Value& set, WallTime now) {
  const Value& containers = set.at({"spec", "template", "spec", "containers"});
  return {name_of(set),
          set.at({"spec", "replicas"}).as_int(),
          set.at({"status", "replicas"}).as_int(),
          set.at({"status", "readyReplicas"}).as_int(),
          age(set, now),
          join(containers, "name"),
          join(containers, "image"),
          format_label_selector(set.at({"spec", "selector"}))};
}

}  // namespace

KindRules replica_set_rules() {
  KindRules made;
  made.rules = {.validate = validate,
                .validate_update = validate_update,
                .validate_status_update = validate_status_update,
                .warn = warn_of_workload,
                .cells = cells};
  made.columns = {name_column(),
                  {"Desired", "integer", "", "Pods wanted."},
                  {"Current", "integer", "", "Pods that there are."},
                  {"Ready", "integer", "", "Pods that are ready."},
                  age_column(),
                  containers_column(),
                  images_column(),
                  {"Selector", "string", "", "Which pods belong to the set.", 1}};
  return made;
}

}  // namespace stead::kinds
