#include "kinds/apps/apps_rules.h"
#include "kinds/core/pod_defaults.h"
#include "kinds/storage/claim_defaults.h"

namespace stead::kinds {
namespace {

void set_if_missing(Value& object, std::string_view name, Value value) {
  if (object.find(name) == nullptr) object.set(name, std::move(value));
}

void set_rolling_update_defaults(Value& strategy) {
  Value* rolling = strategy.find("rollingUpdate");
  if (strategy.at("type").as_string() != "RollingUpdate" || rolling == nullptr) return;
  set_if_missing(*rolling, "partition", 0);
}

void set_shared_defaults(Value& spec) {
  set_rolling_update_defaults(spec["updateStrategy"]);
  set_if_missing(spec, "podManagementPolicy", "OrderedReady");
  set_if_missing(spec, "replicas", 1);
  set_if_missing(spec, "revisionHistoryLimit", 10);
  Value& retention = spec["persistentVolumeClaimRetentionPolicy"];
  if (retention.is_null()) retention = Value::object();
  set_if_missing(retention, "whenDeleted", "Retain");
  set_if_missing(retention, "whenScaled", "Retain");
  if (Value* pod_spec = spec["template"].find("spec")) set_pod_spec_defaults(*pod_spec);
  if (Value* claims = spec.find("volumeClaimTemplates")) {
    for (Value& claim : claims->mutable_items()) {
      // Templates were stored as complete claims from the start, so they carry type and status too.
      set_if_missing(claim, "apiVersion", "v1");
      set_if_missing(claim, "kind", "PersistentVolumeClaim");
      set_claim_defaults(claim);
    }
  }
}

}  // namespace

void set_stateful_set_defaults(Value& set) {
  Value& spec = set["spec"];
  if (spec.is_null()) spec = Value::object();
  Value& strategy = spec["updateStrategy"];
  if (strategy.is_null()) strategy = Value::object();
  if (strategy.at("type").as_string().empty()) {
    strategy.set("type", "RollingUpdate");
    if (strategy.find("rollingUpdate") == nullptr) strategy.set("rollingUpdate", Value::object());
  }
  set_shared_defaults(spec);
}

void set_stateful_set_defaults_v1beta1(Value& set) {
  Value& spec = set["spec"];
  if (spec.is_null()) spec = Value::object();
  Value& strategy = spec["updateStrategy"];
  if (strategy.is_null()) strategy = Value::object();
  if (strategy.at("type").as_string().empty()) strategy.set("type", "OnDelete");
  Value labels = spec.at({"template", "metadata", "labels"});
  if (!labels.empty()) {
    if (spec.find("selector") == nullptr) spec.set({"selector", "matchLabels"}, labels);
    if (set.at({"metadata", "labels"}).empty()) set.set({"metadata", "labels"}, labels);
  }
  set_shared_defaults(set["spec"]);
}

}  // namespace stead::kinds
