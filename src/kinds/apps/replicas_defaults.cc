// Defaults of ReplicaSet and Deployment, and what their old versions add.

#include "kinds/apps/apps_rules.h"
#include "kinds/core/pod_defaults.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kRollbackAnnotation = "deprecated.deployment.rollback.to";

void set_if_missing(Value& object, std::string_view name, Value value) {
  if (object.find(name) == nullptr) object.set(name, std::move(value));
}

Value& spec_of(Value& document) {
  Value& spec = document["spec"];
  if (spec.is_null()) spec = Value::object();
  return spec;
}

void set_replicas_defaults(Value& spec) {
  set_if_missing(spec, "replicas", 1);
  if (Value* pod_template = spec.find("template")) {
    if (Value* pod_spec = pod_template->find("spec")) set_pod_spec_defaults(*pod_spec);
  }
}

void take_labels_from_template(Value& document) {
  Value labels = document.at({"spec", "template", "metadata", "labels"});
  if (labels.empty()) return;
  if (document.at("spec").find("selector") == nullptr) document.set({"spec", "selector", "matchLabels"}, labels);
  if (document.at({"metadata", "labels"}).empty()) document.set({"metadata", "labels"}, labels);
}

void set_deployment_defaults(Value& deployment, int64_t history_limit) {
  Value& spec = spec_of(deployment);
  Value& strategy = spec["strategy"];
  if (strategy.is_null()) strategy = Value::object();
  if (strategy.at("type").as_string().empty()) strategy.set("type", "RollingUpdate");
  if (strategy.at("type").as_string() == "RollingUpdate") {
    Value& rolling = strategy["rollingUpdate"];
    if (rolling.is_null()) rolling = Value::object();
    set_if_missing(rolling, "maxUnavailable", "25%");
    set_if_missing(rolling, "maxSurge", "25%");
  }
  set_if_missing(spec, "revisionHistoryLimit", history_limit);
  set_if_missing(spec, "progressDeadlineSeconds", 600);
  set_replicas_defaults(spec);
}

}  // namespace

void set_replica_set_defaults(Value& set) { set_replicas_defaults(spec_of(set)); }

void set_deployment_defaults(Value& deployment) { set_deployment_defaults(deployment, 10); }

void set_deployment_defaults_v1beta1(Value& deployment) {
  set_deployment_defaults(deployment, 2);
  take_labels_from_template(deployment);
}

void rollback_to_annotation(Value& deployment) {
  const Value* rollback = deployment.at("spec").find("rollbackTo");
  if (rollback == nullptr) return;
  std::string revision = std::to_string(rollback->at("revision").as_int());
  deployment["spec"].erase("rollbackTo");
  deployment.set({"metadata", "annotations", kRollbackAnnotation}, revision);
}

}  // namespace stead::kinds
