#include <algorithm>

#include "kinds/apps/apps_rules.h"
#include "kinds/apps/replicas_validation.h"
#include "kinds/core/pod_spec_validation.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/storage/storage_rules.h"
#include "object/names.h"
#include "object/selector.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kMutableFields[] = {"replicas",
                                               "ordinals",
                                               "template",
                                               "updateStrategy",
                                               "revisionHistoryLimit",
                                               "minReadySeconds",
                                               "persistentVolumeClaimRetentionPolicy"};

void validate_max_unavailable(const Path& path, const Value& value, FieldErrors& errors) {
  if (value.is_null() || !check_count_or_percent(path, value, errors)) return;
  if (count_or_percent(value) == 0) errors.invalid(path, value, "cannot be 0");
  check_percent_at_most_100(path, value, errors);
}

void validate_update_strategy(const Path& path, const Value& strategy, FieldErrors& errors) {
  std::string_view type = strategy.at("type").as_string();
  const Value* rolling = strategy.find("rollingUpdate");
  if (type.empty()) {
    errors.required(path);
  } else if (type == "OnDelete") {
    if (rolling != nullptr) {
      errors.invalid(path.child("rollingUpdate"), *rolling, "only allowed for updateStrategy 'RollingUpdate'");
    }
  } else if (type == "RollingUpdate") {
    if (rolling == nullptr) return;
    Path rolling_path = path.child("rollingUpdate");
    check_not_negative(rolling_path.child("partition"), rolling->at("partition"), errors);
    validate_max_unavailable(rolling_path.child("maxUnavailable"), rolling->at("maxUnavailable"), errors);
  } else {
    errors.invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'");
  }
}

void validate_retention(const Path& path, const Value* policy, FieldErrors& errors) {
  if (policy == nullptr) {
    errors.required(path);
    return;
  }
  for (std::string_view name : {"whenDeleted", "whenScaled"}) {
    check_one_of(path.child(name), policy->at(name), {"Delete", "Retain"}, errors);
  }
}

void validate_template(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& pod_template = spec.at("template");
  auto selector = object::LabelSelector::from_document(spec.at("selector"));
  if (!selector.ok()) {
    errors.invalid(path.child("selector"), spec.at("selector"), "");
    return;
  }
  Path template_path = path.child("template");
  const Value& labels = pod_template.at({"metadata", "labels"});
  bool has_requirements = !selector->matches_everything() && !selector->matches_nothing();
  if (has_requirements && !selector->matches(labels)) {
    Path metadata_path = template_path.child("metadata");
    errors.invalid(metadata_path.child("labels"), labels.is_null() ? Value::object() : labels,
                   "`selector` does not match template `labels`");
  }
  // Claims become volumes of their names, shadowing the template's own, before mounts are checked.
  Value whole = pod_template;
  if (const Value* claims = spec.find("volumeClaimTemplates")) {
    Value& volumes = whole["spec"]["volumes"];
    if (volumes.is_null()) volumes = Value::array();
    for (const Value& claim : claims->items()) {
      std::string_view name = claim.at({"metadata", "name"}).as_string();
      std::erase_if(volumes.mutable_items(), [&](const Value& v) { return v.at("name").as_string() == name; });
      volumes.append(Value::object({{"name", name}, {"persistentVolumeClaim", Value::object({{"claimName", name}})}}));
    }
  }
  validate_pod_template(template_path, whole, errors);
  Path spec_path = template_path.child("spec");
  const Value& restart = pod_template.at({"spec", "restartPolicy"});
  if (restart.as_string() != "Always") {
    std::string_view supported[] = {"Always"};
    errors.not_supported(spec_path.child("restartPolicy"), restart, supported);
  }
  if (const Value* deadline = pod_template.find({"spec", "activeDeadlineSeconds"})) {
    errors.forbidden(spec_path.child("activeDeadlineSeconds"), "activeDeadlineSeconds in StatefulSet is not Supported");
    (void)deadline;
  }
}

void validate_spec(const Path& path, const Value& spec, FieldErrors& errors) {
  std::string_view management = spec.at("podManagementPolicy").as_string();
  if (management.empty()) {
    errors.required(path.child("podManagementPolicy"));
  } else if (management != "OrderedReady" && management != "Parallel") {
    errors.invalid(path.child("podManagementPolicy"), Value(management), "must be 'OrderedReady' or 'Parallel'");
  }
  validate_update_strategy(path.child("updateStrategy"), spec.at("updateStrategy"), errors);
  validate_retention(path.child("persistentVolumeClaimRetentionPolicy"),
                     spec.find("persistentVolumeClaimRetentionPolicy"), errors);
  check_not_negative(path.child("replicas"), spec.at("replicas"), errors);
  check_not_negative(path.child("minReadySeconds"), spec.at("minReadySeconds"), errors);
  if (const Value* limit = spec.find("revisionHistoryLimit")) {
    check_not_negative(path.child("revisionHistoryLimit"), *limit, errors);
  }
  if (const Value* ordinals = spec.find("ordinals")) {
    Path ordinals_path = path.child("ordinals");
    check_not_negative(ordinals_path.child("start"), ordinals->at("start"), errors);
  }
  const Value& service = spec.at("serviceName");
  if (!is_absent_or_empty(service)) {
    check(path.child("serviceName"), service, object::check_dns1123_label(service.as_string()), errors);
  }
  const Value* selector = spec.find("selector");
  if (selector == nullptr) {
    errors.required(path.child("selector"));
  } else {
    check_label_selector(path.child("selector"), *selector, errors);
    if (selector->at("matchLabels").empty() && selector->at("matchExpressions").empty()) {
      errors.invalid(path.child("selector"), *selector, "empty selector is invalid for statefulset");
    }
  }
  validate_template(path, spec, errors);
}

void validate(const Value& set, FieldErrors& errors) { validate_spec(Path("spec"), set.at("spec"), errors); }

void validate_update(const Value& set, const Value& old, FieldErrors& errors) {
  Value spec = set.at("spec");
  Value before = old.at("spec");
  for (std::string_view field : kMutableFields) {
    spec.erase(field);
    before.erase(field);
  }
  if (spec == before) return;
  errors.forbidden(Path("spec"),
                   "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                   "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                   "'minReadySeconds' are forbidden");
}

void validate_status_update(const Value& set, const Value& old, FieldErrors& errors) {
  Path path("status");
  const Value& status = set.at("status");
  for (std::string_view name : {"replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
                                "observedGeneration", "collisionCount"}) {
    check_not_negative(path.child(name), status.at(name), errors);
  }
  int64_t replicas = status.at("replicas").as_int();
  for (std::string_view name : {"readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"}) {
    const Value& count = status.at(name);
    if (count.as_int() > replicas) errors.invalid(path.child(name), count, "cannot be greater than status.replicas");
  }
  if (status.at("availableReplicas").as_int() > status.at("readyReplicas").as_int()) {
    errors.invalid(path.child("availableReplicas"), status.at("availableReplicas"),
                   "cannot be greater than status.readyReplicas");
  }
  if (status.at("collisionCount").as_int() < old.at({"status", "collisionCount"}).as_int()) {
    errors.invalid(path.child("collisionCount"), Value(status.at("collisionCount").as_int()), "cannot be decremented");
  }
}

void prepare_create(Value& set) { set.erase("status"); }

void warn(const Value& set, const Value* old, Warnings& warnings) {
  const Value& spec = set.at("spec");
  if (old != nullptr && spec == old->at("spec")) return;
  Path path("spec");
  warn_of_pod(path.child("template"), spec.at("template"), warnings);
  Path claims_path = path.child("volumeClaimTemplates");
  auto claims = spec.at("volumeClaimTemplates").items();
  for (size_t i = 0; i < claims.size(); ++i) {
    Path at = claims_path.index(i);
    warn_of_claim_spec(at.child("spec"), claims[i].at("spec"), warnings);
  }
  if (spec.at("revisionHistoryLimit").as_int() < 0) {
    warnings.push_back(
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended");
  }
}

std::vector<Value> cells(const Value& set, WallTime now) {
  const Value& containers = set.at({"spec", "template", "spec", "containers"});
  std::string ready = std::to_string(set.at({"status", "readyReplicas"}).as_int()) + "/" +
                      std::to_string(set.at({"spec", "replicas"}).as_int());
  return {name_of(set), ready, age(set, now), join(containers, "name"), join(containers, "image")};
}

}  // namespace

KindRules stateful_set_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .validate = validate,
                .validate_update = validate_update,
                .validate_status_update = validate_status_update,
                .warn = warn,
                .cells = cells};
  made.columns = {name_column(),
                  {"Ready", "string", "", "Ready pods of those wanted."},
                  age_column(),
                  containers_column(),
                  images_column()};
  return made;
}

}  // namespace stead::kinds
