// Defaults of HorizontalPodAutoscaler, and its form in autoscaling/v1.

#include "kinds/autoscaling/autoscaling_rules.h"
#include "object/codec.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kMetrics = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kBehavior = "autoscaling.alpha.kubernetes.io/behavior";
constexpr std::string_view kConditions = "autoscaling.alpha.kubernetes.io/conditions";
constexpr std::string_view kCurrentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr int64_t kCpuDefault = 80;

void set_if_missing(Value& object, std::string_view name, Value value) {
  if (object.find(name) == nullptr) object.set(name, std::move(value));
}

Value policy(std::string_view type, int64_t value) {
  return Value::object({{"type", type}, {"value", value}, {"periodSeconds", 15}});
}

Value cpu_metric(int64_t percent) {
  Value target = Value::object({{"type", "Utilization"}, {"averageUtilization", percent}});
  Value resource = Value::object({{"name", "cpu"}, {"target", std::move(target)}});
  return Value::object({{"type", "Resource"}, {"resource", std::move(resource)}});
}

bool is_cpu_utilization(const Value& metric) {
  return metric.at("type").as_string() == "Resource" && metric.at({"resource", "name"}).as_string() == "cpu" &&
         metric.find({"resource", "target", "averageUtilization"}) != nullptr;
}

// Puts an annotation's JSON where it belongs and takes the annotation away.
void unpack(Value& document, std::string_view annotation, std::initializer_list<std::string_view> path) {
  const Value* text = document.find({"metadata", "annotations", annotation});
  if (text == nullptr) return;
  auto parsed = object::parse_json(std::string(text->as_string()));
  document.erase({"metadata", "annotations", annotation});
  if (parsed.ok()) document.set(path, std::move(*parsed));
}

void pack(Value& document, std::string_view annotation, const Value& value) {
  if (value.empty()) return;
  std::string text = object::to_json(value);
  document.set({"metadata", "annotations", annotation}, text);
}

}  // namespace

void set_autoscaler_defaults(Value& autoscaler) {
  Value& spec = autoscaler["spec"];
  if (spec.is_null()) spec = Value::object();
  set_if_missing(spec, "minReplicas", 1);
  if (spec.at("metrics").empty()) spec.set("metrics", Value::array({cpu_metric(kCpuDefault)}));
  Value* behavior = spec.find("behavior");
  if (behavior == nullptr) return;
  Value& up = (*behavior)["scaleUp"];
  if (up.is_null()) up = Value::object();
  set_if_missing(up, "stabilizationWindowSeconds", 0);
  set_if_missing(up, "selectPolicy", "Max");
  if (up.at("policies").empty()) up.set("policies", Value::array({policy("Pods", 4), policy("Percent", 100)}));
  Value& down = (*behavior)["scaleDown"];
  if (down.is_null()) down = Value::object();
  set_if_missing(down, "selectPolicy", "Max");
  if (down.at("policies").empty()) down.set("policies", Value::array({policy("Percent", 100)}));
}

void autoscaler_from_v1(Value& autoscaler) {
  unpack(autoscaler, kMetrics, {"spec", "metrics"});
  unpack(autoscaler, kBehavior, {"spec", "behavior"});
  unpack(autoscaler, kConditions, {"status", "conditions"});
  unpack(autoscaler, kCurrentMetrics, {"status", "currentMetrics"});
  Value& spec = autoscaler["spec"];
  if (const Value* target = spec.find("targetCPUUtilizationPercentage")) {
    Value metrics = Value::array({cpu_metric(target->as_int())});
    for (const Value& other : spec.at("metrics").items()) metrics.append(other);
    spec.set("metrics", std::move(metrics));
    spec.erase("targetCPUUtilizationPercentage");
  }
  if (Value* status = autoscaler.find("status")) status->erase("currentCPUUtilizationPercentage");
  set_autoscaler_defaults(autoscaler);
}

void autoscaler_to_v1(Value& autoscaler) {
  Value& spec = autoscaler["spec"];
  Value others = Value::array();
  for (const Value& metric : spec.at("metrics").items()) {
    if (is_cpu_utilization(metric) && spec.find("targetCPUUtilizationPercentage") == nullptr) {
      spec.set("targetCPUUtilizationPercentage", metric.at({"resource", "target", "averageUtilization"}).as_int());
    } else {
      others.append(metric);
    }
  }
  pack(autoscaler, kMetrics, others);
  pack(autoscaler, kBehavior, autoscaler.at({"spec", "behavior"}));
  pack(autoscaler, kConditions, autoscaler.at({"status", "conditions"}));
  autoscaler.erase({"spec", "metrics"});
  autoscaler.erase({"spec", "behavior"});
  Value current = Value::array();
  for (const Value& metric : autoscaler.at({"status", "currentMetrics"}).items()) {
    const Value* percent = metric.find({"resource", "current", "averageUtilization"});
    bool cpu = metric.at({"resource", "name"}).as_string() == "cpu" && percent != nullptr;
    if (cpu) autoscaler.set({"status", "currentCPUUtilizationPercentage"}, percent->as_int());
    if (!cpu) current.append(metric);
  }
  pack(autoscaler, kCurrentMetrics, current);
  autoscaler.erase({"status", "conditions"});
  autoscaler.erase({"status", "currentMetrics"});
}

}  // namespace stead::kinds
