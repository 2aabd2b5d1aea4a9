#include "kinds/autoscaling/autoscaling_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr int64_t kWindowSecondsMax = 3600;
constexpr int64_t kPeriodSecondsMax = 1800;

void validate_reference(const Path& path, const Value& reference, FieldErrors& errors) {
  for (std::string_view name : {"kind", "name"}) {
    Path at = path.child(name);
    if (check_present(at, reference.at(name), errors)) {
      check(at, reference.at(name), object::check_path_segment(reference.at(name).as_string()), errors);
    }
  }
}

void validate_target(const Path& path, const Value& target, FieldErrors& errors) {
  std::string_view type = target.at("type").as_string();
  if (type.empty()) errors.required(path.child("type"), "must specify a metric target type");
  if (type != "Utilization" && type != "Value" && type != "AverageValue") {
    errors.invalid(path.child("type"), Value(type), "must be either Utilization, Value, or AverageValue");
  }
  for (std::string_view name : {"value", "averageValue"}) {
    const Value* amount = target.find(name);
    if (amount != nullptr && !(quantity_of(*amount) > object::Quantity())) {
      errors.invalid(path.child(name), *amount, "must be positive");
    }
  }
  const Value* percent = target.find("averageUtilization");
  if (percent != nullptr && percent->as_int() < 1) {
    errors.invalid(path.child("averageUtilization"), *percent, "must be greater than 0");
  }
}

// The member that says what a metric of that type is about.
std::string_view member_of(std::string_view type) {
  if (type == "Object") return "object";
  if (type == "Pods") return "pods";
  if (type == "Resource") return "resource";
  if (type == "ContainerResource") return "containerResource";
  if (type == "External") return "external";
  return {};
}

// Metrics of pods are averaged; others are compared as they are, or shared among the pods.
void validate_amounts(const Path& path, std::string_view member, const Value& target, FieldErrors& errors) {
  bool value = target.find("value") != nullptr;
  bool average = target.find("averageValue") != nullptr;
  if (member == "pods") {
    if (!average || !(quantity_of(target.at("averageValue")) > object::Quantity())) {
      errors.required(path.child("averageValue"), "must specify a positive target averageValue");
    }
  } else if (!value && !average) {
    errors.required(path.child("averageValue"), "must set either a target value for metric or a per-pod target");
  } else if (value && average) {
    errors.forbidden(path.child("value"), "may not set both a target value for metric and a per-pod target");
  }
}

void validate_source(const Path& path, std::string_view member, const Value& source, FieldErrors& errors) {
  validate_target(path.child("target"), source.at("target"), errors);
  const Value& target = source.at("target");
  if (member == "resource" || member == "containerResource") {
    if (is_absent_or_empty(source.at("name"))) errors.required(path.child("name"), "must specify a resource name");
    if (member == "containerResource" && is_absent_or_empty(source.at("container"))) {
      errors.required(path.child("container"), "must specify a container");
    }
    bool percent = target.find("averageUtilization") != nullptr;
    bool value = target.find("averageValue") != nullptr;
    Path target_path = path.child("target");
    if (!percent && !value) {
      errors.required(target_path.child("averageUtilization"),
                      "must set either a target raw value or a target utilization");
    } else if (percent && value) {
      errors.forbidden(target_path.child("averageValue"),
                       "may not set both a target raw value and a target utilization");
    }
    return;
  }
  Path metric_path = path.child("metric");
  const Value& name = source.at({"metric", "name"});
  if (is_absent_or_empty(name)) {
    errors.required(metric_path.child("name"), "must specify a metric name");
  } else {
    check(metric_path.child("name"), name, object::check_path_segment(name.as_string()), errors);
  }
  validate_amounts(path.child("target"), member, target, errors);
  if (member == "object") validate_reference(path.child("describedObject"), source.at("describedObject"), errors);
}

void validate_metric(const Path& path, const Value& metric, FieldErrors& errors) {
  std::string_view type = metric.at("type").as_string();
  if (type.empty()) return errors.required(path.child("type"), "must specify a metric source type");
  std::string_view member = member_of(type);
  if (member.empty()) {
    return check_optional_one_of(path.child("type"), metric.at("type"),
                                 {"ContainerResource", "External", "Object", "Pods", "Resource"}, errors);
  }
  const Value* source = metric.find(member);
  if (source == nullptr) {
    return errors.required(path.child(member), "must populate information for the given metric source");
  }
  for (std::string_view other : {"object", "pods", "resource", "containerResource", "external"}) {
    if (other != member && metric.find(other) != nullptr) {
      errors.forbidden(path.child(other), "must populate the given metric source only");
    }
  }
  validate_source(path.child(member), member, *source, errors);
}

void validate_scaling(const Path& path, const Value* rules, FieldErrors& errors) {
  if (rules == nullptr) return;
  Path window_path = path.child("stabilizationWindowSeconds");
  if (const Value* window = rules->find("stabilizationWindowSeconds")) {
    check_not_negative(window_path, *window, errors);
    if (window->as_int() > kWindowSecondsMax)
      errors.invalid(window_path, *window, "must be less than or equal to 3600");
  }
  check_optional_one_of(path.child("selectPolicy"), rules->at("selectPolicy"), {"Disabled", "Max", "Min"}, errors);
  Path policies_path = path.child("policies");
  auto policies = rules->at("policies").items();
  if (policies.empty()) errors.required(policies_path, "must specify at least one Policy");
  for (size_t i = 0; i < policies.size(); ++i) {
    Path at = policies_path.index(i);
    check_one_of(at.child("type"), policies[i].at("type"), {"Percent", "Pods"}, errors);
    for (std::string_view name : {"value", "periodSeconds"}) {
      const Value& number = policies[i].at(name);
      if (number.as_int() <= 0) errors.invalid(at.child(name), Value(number.as_int()), "must be greater than zero");
    }
    const Value& period = policies[i].at("periodSeconds");
    if (period.as_int() > kPeriodSecondsMax) {
      errors.invalid(at.child("periodSeconds"), period, "must be less than or equal to 1800");
    }
  }
}

void validate(const Value& autoscaler, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = autoscaler.at("spec");
  const Value& least = spec.at("minReplicas");
  const Value& most = spec.at("maxReplicas");
  Path most_path = path.child("maxReplicas");
  if (least.as_int(1) < 1) errors.invalid(path.child("minReplicas"), least, "must be greater than or equal to 1");
  if (most.as_int() < 1) errors.invalid(most_path, Value(most.as_int()), "must be greater than 0");
  if (most.as_int() < least.as_int(1)) {
    errors.invalid(most_path, Value(most.as_int()), "must be greater than or equal to `minReplicas`");
  }
  validate_reference(path.child("scaleTargetRef"), spec.at("scaleTargetRef"), errors);
  Path metrics_path = path.child("metrics");
  for (size_t i = 0; i < spec.at("metrics").size(); ++i) {
    validate_metric(metrics_path.index(i), spec.at("metrics").items()[i], errors);
  }
  Path behavior = path.child("behavior");
  validate_scaling(behavior.child("scaleUp"), spec.find({"behavior", "scaleUp"}), errors);
  validate_scaling(behavior.child("scaleDown"), spec.find({"behavior", "scaleDown"}), errors);
}

void validate_status_update(const Value& autoscaler, const Value&, FieldErrors& errors) {
  Path path("status");
  for (std::string_view name : {"currentReplicas", "desiredReplicas"}) {
    check_not_negative(path.child(name), autoscaler.at({"status", name}), errors);
  }
}

// "cpu: 12%/80%" or "cpu: <unknown>/80%" for each metric.
std::string targets_text(const Value& autoscaler) {
  std::string text;
  auto current = autoscaler.at({"status", "currentMetrics"}).items();
  auto metrics = autoscaler.at({"spec", "metrics"}).items();
  for (size_t i = 0; i < metrics.size(); ++i) {
    std::string_view member = member_of(metrics[i].at("type").as_string());
    const Value& source = metrics[i].at(member);
    bool by_resource = member == "resource" || member == "containerResource";
    const Value nothing;
    const Value& now = i < current.size() ? current[i].at({member, "current"}) : nothing;
    std::string wanted, have = "<unknown>";
    if (const Value* percent = source.find({"target", "averageUtilization"})) {
      wanted = std::to_string(percent->as_int()) + "%";
      if (const Value* known = now.find("averageUtilization")) have = std::to_string(known->as_int()) + "%";
    } else {
      bool average = source.find({"target", "averageValue"}) != nullptr;
      std::string_view name = average ? "averageValue" : "value";
      wanted = source.at({"target", name}).as_string();
      if (const Value* known = now.find(name)) have = known->as_string();
      if (average && !by_resource) wanted += " (avg)";
    }
    if (by_resource) have = std::string(source.at("name").as_string()) + ": " + have;
    text += (text.empty() ? "" : ", ") + have + "/" + wanted;
  }
  return text.empty() ? std::string(kNone) : text;
}

std::vector<Value> cells(const Value& autoscaler, WallTime now) {
  const Value& spec = autoscaler.at("spec");
  const Value& target = spec.at("scaleTargetRef");
  const Value* least = spec.find("minReplicas");
  return {name_of(autoscaler),
          std::string(target.at("kind").as_string()) + "/" + std::string(target.at("name").as_string()),
          targets_text(autoscaler),
          least == nullptr ? std::string("<unset>") : std::to_string(least->as_int()),
          spec.at("maxReplicas").as_int(),
          autoscaler.at({"status", "currentReplicas"}).as_int(),
          age(autoscaler, now)};
}

}  // namespace

KindRules horizontal_pod_autoscaler_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_status_update = validate_status_update, .cells = cells};
  made.columns = {name_column(),
                  {"Reference", "string", "", "What is scaled."},
                  {"Targets", "string", "", "The load, and the load that is wanted."},
                  {"MinPods", "string", "", "The smallest size."},
                  {"MaxPods", "string", "", "The largest size."},
                  {"Replicas", "string", "", "The present size."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
