// Rules of ReplicationController and PodTemplate.

#include "kinds/core/core_rules.h"
#include "kinds/core/pod_defaults.h"
#include "kinds/core/pod_spec_validation.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/selector.h"

namespace stead::kinds {
namespace {

void validate_template(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* pod_template = spec.find("template");
  if (pod_template == nullptr) return errors.required(path);
  const Value& selector = spec.at("selector");
  const Value& labels = pod_template->at({"metadata", "labels"});
  if (!selector.empty() && !object::LabelSelector::from_map(selector).matches(labels)) {
    Path metadata_path = path.child("metadata");
    errors.invalid(metadata_path.child("labels"), labels.is_null() ? Value::object() : labels,
                   "`selector` does not match template `labels`");
  }
  validate_pod_template(path, *pod_template, errors);
  Path spec_path = path.child("spec");
  const Value& restart = pod_template->at({"spec", "restartPolicy"});
  if (restart.as_string() != "Always") {
    std::string_view supported[] = {"Always"};
    errors.not_supported(spec_path.child("restartPolicy"), restart, supported);
  }
  if (pod_template->find({"spec", "activeDeadlineSeconds"}) != nullptr) {
    errors.forbidden(spec_path.child("activeDeadlineSeconds"),
                     "activeDeadlineSeconds in ReplicationController is not Supported");
  }
}

void validate(const Value& controller, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = controller.at("spec");
  check_not_negative(path.child("minReadySeconds"), spec.at("minReadySeconds"), errors);
  Path selector_path = path.child("selector");
  if (spec.at("selector").empty()) {
    errors.required(selector_path);
  } else {
    check_labels(selector_path, spec.at("selector"), errors);
  }
  const Value* replicas = spec.find("replicas");
  if (replicas == nullptr) {
    errors.required(path.child("replicas"));
  } else {
    check_not_negative(path.child("replicas"), *replicas, errors);
  }
  validate_template(path.child("template"), spec, errors);
}

void validate_status_update(const Value& controller, const Value&, FieldErrors& errors) {
  Path path("status");
  const Value& status = controller.at("status");
  int64_t replicas = status.at("replicas").as_int();
  for (std::string_view name : {"replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"}) {
    const Value& count = status.at(name);
    check_not_negative(path.child(name), count, errors);
    if (count.as_int() > replicas) errors.invalid(path.child(name), count, "cannot be greater than status.replicas");
  }
  if (status.at("availableReplicas").as_int() > status.at("readyReplicas").as_int()) {
    errors.invalid(path.child("availableReplicas"), status.at("availableReplicas"),
                   "cannot be greater than readyReplicas");
  }
}

std::vector<Value> cells(const Value& controller, WallTime now) {
  const Value& spec = controller.at("spec");
  const Value& status = controller.at("status");
  const Value& containers = spec.at({"template", "spec", "containers"});
  return {name_of(controller),
          spec.at("replicas").as_int(),
          status.at("replicas").as_int(),
          status.at("readyReplicas").as_int(),
          age(controller, now),
          join(containers, "name"),
          join(containers, "image"),
          format_labels(spec.at("selector"))};
}

std::optional<std::string> field(const Value& controller, std::string_view path) {
  if (path != "status.replicas") return std::nullopt;
  return std::to_string(controller.at({"status", "replicas"}).as_int());
}

void validate_template_object(const Value& object, FieldErrors& errors) {
  validate_pod_template(Path("template"), object.at("template"), errors);
}

void warn_of_template(const Value& object, const Value* old, Warnings& warnings) {
  if (old != nullptr && object.at("template") == old->at("template")) return;
  warn_of_pod(Path("template"), object.at("template"), warnings);
}

std::vector<Value> template_cells(const Value& object, WallTime now) {
  (void)now;
  const Value& containers = object.at({"template", "spec", "containers"});
  return {name_of(object), join(containers, "name"), join(containers, "image"),
          format_labels(object.at({"template", "metadata", "labels"}))};
}

void set_template_defaults(Value* pod_template) {
  Value* pod_spec = pod_template == nullptr ? nullptr : pod_template->find("spec");
  if (pod_spec != nullptr) set_pod_spec_defaults(*pod_spec);
}

}  // namespace

void set_replication_controller_defaults(Value& controller) {
  Value& spec = controller["spec"];
  if (spec.is_null()) spec = Value::object();
  Value labels = spec.at({"template", "metadata", "labels"});
  if (!labels.empty()) {
    if (spec.at("selector").empty()) spec.set("selector", labels);
    if (controller.at({"metadata", "labels"}).empty()) controller.set({"metadata", "labels"}, labels);
  }
  set_template_defaults(controller["spec"].find("template"));
}

void set_pod_template_defaults(Value& object) { set_template_defaults(object.find("template")); }

KindRules replication_controller_rules() {
  KindRules made;
  made.rules = {.validate = validate,
                .validate_status_update = validate_status_update,
                .warn = warn_of_workload,
                .cells = cells,
                .field = field};
  made.columns = {name_column(),
                  {"Desired", "integer", "", "How many pods there should be."},
                  {"Current", "integer", "", "How many pods there are."},
                  {"Ready", "integer", "", "How many of them are ready."},
                  age_column(),
                  containers_column(),
                  images_column(),
                  {"Selector", "string", "", "Which pods belong to the controller.", 1}};
  made.selectable_fields = {"status.replicas"};
  return made;
}

KindRules pod_template_rules() {
  KindRules made;
  made.rules = {.validate = validate_template_object, .warn = warn_of_template, .cells = template_cells};
  made.columns = {name_column(),
                  {"Containers", "string", "", "Names of each container in the template."},
                  {"Images", "string", "", "Images referenced by each container in the template."},
                  {"Pod Labels", "string", "", "The labels of pods made of it."}};
  return made;
}

}  // namespace stead::kinds
