#include "kinds/apps/apps_rules.h"
#include "kinds/apps/replicas_validation.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {
namespace {

void validate_rolling_update(const Path& path, const Value& rolling, FieldErrors& errors) {
  Path unavailable_path = path.child("maxUnavailable");
  const Value& unavailable = rolling.at("maxUnavailable");
  const Value& surge = rolling.at("maxSurge");
  bool readable = check_count_or_percent(unavailable_path, unavailable, errors);
  readable = check_count_or_percent(path.child("maxSurge"), surge, errors) && readable;
  if (readable && count_or_percent(unavailable) == 0 && count_or_percent(surge) == 0) {
    errors.invalid(unavailable_path, unavailable, "may not be 0 when `maxSurge` is 0");
  }
  check_percent_at_most_100(unavailable_path, unavailable, errors);
}

void validate_strategy(const Path& path, const Value& strategy, FieldErrors& errors) {
  std::string_view type = strategy.at("type").as_string();
  Path rolling_path = path.child("rollingUpdate");
  const Value* rolling = strategy.find("rollingUpdate");
  if (type == "Recreate") {
    if (rolling != nullptr) {
      errors.forbidden(rolling_path, "may not be specified when strategy `type` is 'Recreate'");
    }
  } else if (type == "RollingUpdate") {
    if (rolling == nullptr) {
      errors.required(rolling_path, "this should be defaulted and never be nil");
    } else {
      validate_rolling_update(rolling_path, *rolling, errors);
    }
  } else {
    std::string_view supported[] = {"Recreate", "RollingUpdate"};
    errors.not_supported(path.child("type"), Value(type), supported);
  }
}

void validate(const Value& deployment, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = deployment.at("spec");
  check_not_negative(path.child("replicas"), spec.at("replicas"), errors);
  validate_selected_template(path, spec, errors);
  validate_strategy(path.child("strategy"), spec.at("strategy"), errors);
  check_not_negative(path.child("minReadySeconds"), spec.at("minReadySeconds"), errors);
  check_not_negative(path.child("revisionHistoryLimit"), spec.at("revisionHistoryLimit"), errors);
  const Value* deadline = spec.find("progressDeadlineSeconds");
  if (deadline == nullptr) return;
  Path deadline_path = path.child("progressDeadlineSeconds");
  check_not_negative(deadline_path, *deadline, errors);
  if (deadline->as_int() <= spec.at("minReadySeconds").as_int()) {
    errors.invalid(deadline_path, *deadline, "must be greater than minReadySeconds");
  }
}

void validate_update(const Value& deployment, const Value& old, FieldErrors& errors) {
  Path path("spec");
  check_unchanged(path.child("selector"), deployment.at({"spec", "selector"}), old.at({"spec", "selector"}), errors);
}

void validate_status_update(const Value& deployment, const Value& old, FieldErrors& errors) {
  Path path("status");
  const Value& status = deployment.at("status");
  for (std::string_view name :
       {"observedGeneration", "replicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"}) {
    check_not_negative(path.child(name), status.at(name), errors);
  }
  check_status_counts(status, {"updatedReplicas", "readyReplicas", "availableReplicas"}, errors);
  if (status.at("availableReplicas").as_int() > status.at("readyReplicas").as_int()) {
    errors.invalid(path.child("availableReplicas"), status.at("availableReplicas"),
                   "cannot be greater than readyReplicas");
  }
  if (status.at("collisionCount").as_int() < old.at({"status", "collisionCount"}).as_int()) {
    errors.invalid(path.child("collisionCount"), Value(status.at("collisionCount").as_int()), "cannot be decremented");
  }
}

// Annotations are handed down to the replica set, so a change of them is one of intent (upstream's strategy for
// deployments raises the generation for both).
void prepare_update(Value& deployment, const Value& old) {
  const Value& before = old.at("metadata");
  Value& metadata = deployment["metadata"];
  const Value& annotations = metadata.at("annotations");
  const Value& annotations_before = before.at("annotations");
  if (annotations == annotations_before || (annotations.empty() && annotations_before.empty())) return;
  metadata.set("generation", before.at("generation").as_int() + 1);
}

std::vector<Value> cells(const Value& deployment, WallTime now) {
  const Value& spec = deployment.at("spec");
  const Value& status = deployment.at("status");
  const Value& containers = spec.at({"template", "spec", "containers"});
  return {name_of(deployment),
          std::to_string(status.at("readyReplicas").as_int()) + "/" + std::to_string(spec.at("replicas").as_int()),
          status.at("updatedReplicas").as_int(),
          status.at("availableReplicas").as_int(),
          age(deployment, now),
          join(containers, "name"),
          join(containers, "image"),
          format_label_selector(spec.at("selector"))};
}

}  // namespace

KindRules deployment_rules() {
  KindRules made;
  made.rules = {.prepare_update = prepare_update,
                .validate = validate,
                .validate_update = validate_update,
                .validate_status_update = validate_status_update,
                .warn = warn_of_workload,
                .cells = cells};
  made.columns = {name_column(),
                  {"Ready", "string", "", "Ready pods of those wanted."},
                  {"Up-to-date", "string", "", "Pods made from the current template."},
                  {"Available", "string", "", "Pods that have been ready for long enough."},
                  age_column(),
                  containers_column(),
                  images_column(),
                  {"Selector", "string", "", "Which pods belong to the deployment.", 1}};
  return made;
}

}  // namespace stead::kinds
