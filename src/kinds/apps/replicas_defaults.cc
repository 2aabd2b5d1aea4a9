// Defaults of ReplicaSet and Deployment, and what their old versions add.

#include <charconv>
#include <limits>

#include "kinds/apps/apps_rules.h"
#include "kinds/core/pod_defaults.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kRollbackAnnotation = "deprecated.deployment.rollback.to";
constexpr int64_t kNoLimit = std::numeric_limits<int32_t>::max();

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

// What versions of Deployment differ in.
struct DeploymentDefaults {
  Value rolling = "25%";  // maxUnavailable and maxSurge
  int64_t history_limit = 10;
  int64_t deadline_seconds = 600;
};

void set_deployment_defaults(Value& deployment, const DeploymentDefaults& defaults) {
  Value& spec = spec_of(deployment);
  Value& strategy = spec["strategy"];
  if (strategy.is_null()) strategy = Value::object();
  if (strategy.at("type").as_string().empty()) strategy.set("type", "RollingUpdate");
  if (strategy.at("type").as_string() == "RollingUpdate") {
    Value& rolling = strategy["rollingUpdate"];
    if (rolling.is_null()) rolling = Value::object();
    set_if_missing(rolling, "maxUnavailable", defaults.rolling);
    set_if_missing(rolling, "maxSurge", defaults.rolling);
  }
  set_if_missing(spec, "revisionHistoryLimit", defaults.history_limit);
  set_if_missing(spec, "progressDeadlineSeconds", defaults.deadline_seconds);
  set_replicas_defaults(spec);
}

}  // namespace

void set_replica_set_defaults(Value& set) { set_replicas_defaults(spec_of(set)); }

void set_extensions_replica_set_defaults(Value& set) {
  take_labels_from_template(set);
  set_replica_set_defaults(set);
}

void set_deployment_defaults(Value& deployment) { set_deployment_defaults(deployment, DeploymentDefaults{}); }

void set_deployment_defaults_v1beta1(Value& deployment) {
  take_labels_from_template(deployment);
  set_deployment_defaults(deployment, {.history_limit = 2});
}

void set_extensions_deployment_defaults(Value& deployment) {
  take_labels_from_template(deployment);
  set_deployment_defaults(deployment, {.rolling = 1, .history_limit = kNoLimit, .deadline_seconds = kNoLimit});
}

void set_daemon_set_defaults(Value& set) {
  Value& spec = spec_of(set);
  Value& strategy = spec["updateStrategy"];
  if (strategy.is_null()) strategy = Value::object();
  if (strategy.at("type").as_string().empty()) strategy.set("type", "RollingUpdate");
  if (strategy.at("type").as_string() == "RollingUpdate") {
    Value& rolling = strategy["rollingUpdate"];
    if (rolling.is_null()) rolling = Value::object();
    set_if_missing(rolling, "maxUnavailable", 1);
    set_if_missing(rolling, "maxSurge", 0);
  }
  set_if_missing(spec, "revisionHistoryLimit", 10);
  Value* pod_template = spec.find("template");
  Value* pod_spec = pod_template == nullptr ? nullptr : pod_template->find("spec");
  if (pod_spec != nullptr) set_pod_spec_defaults(*pod_spec);
}

void set_extensions_daemon_set_defaults(Value& set) {
  take_labels_from_template(set);
  Value& strategy = spec_of(set)["updateStrategy"];
  if (strategy.is_null()) strategy = Value::object();
  if (strategy.at("type").as_string().empty()) strategy.set("type", "OnDelete");
  set_daemon_set_defaults(set);
}

void drop_template_generation(Value& set) { set["spec"].erase("templateGeneration"); }

void add_template_generation(Value& set) {
  std::string_view text = set.at({"metadata", "annotations", "deprecated.daemonset.template.generation"}).as_string();
  int64_t generation = 0;
  std::from_chars(text.data(), text.data() + text.size(), generation);
  if (generation > 0) set.set({"spec", "templateGeneration"}, generation);
}

void rollback_to_annotation(Value& deployment) {
  const Value* rollback = deployment.at("spec").find("rollbackTo");
  if (rollback == nullptr) return;
  std::string revision = std::to_string(rollback->at("revision").as_int());
  deployment["spec"].erase("rollbackTo");
  deployment.set({"metadata", "annotations", kRollbackAnnotation}, revision);
}

void rollback_from_annotation(Value& deployment) {
  const Value* annotation = deployment.find({"metadata", "annotations", kRollbackAnnotation});
  if (annotation == nullptr) return;
  std::string_view text = annotation->as_string();
  int64_t revision = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
  if (error != std::errc() || end != text.data() + text.size()) return;
  deployment.erase({"metadata", "annotations", kRollbackAnnotation});
  deployment.set({"spec", "rollbackTo", "revision"}, revision);
}

}  // namespace stead::kinds
