#include "controllers/autoscaling/autoscaler_policy.h"

#include <fmt/format.h>

#include "object/quantity.h"
#include "object/time.h"

namespace stead::controllers::autoscaling {
namespace {

constexpr std::string_view kAble = "AbleToScale";
constexpr std::string_view kActive = "ScalingActive";
constexpr std::string_view kLimited = "ScalingLimited";

void set_condition(Value& status, std::string_view type, const Verdict& verdict, WallTime now) {
  std::string_view text = verdict.holds ? "True" : "False";
  for (Value& condition : status["conditions"].mutable_items()) {
    if (condition.at("type").as_string() != type) continue;
    if (condition.at("status").as_string() != text) condition.set("lastTransitionTime", object::format_time(now));
    condition.set("status", text);
    condition.set("reason", verdict.reason);
    condition.set("message", verdict.message);
    return;
  }
  status["conditions"].append(Value::object({{"type", type},
                                             {"status", text},
                                             {"lastTransitionTime", object::format_time(now)},
                                             {"reason", verdict.reason},
                                             {"message", verdict.message}}));
}

// The status before, as what is not decided anew stays.
Value status_of(const object::Object& autoscaler) {
  Value status = autoscaler.status();
  if (!status.is_object()) status = Value::object();
  return status;
}

struct Source {
  std::string type;    // of the metric
  std::string reason;  // if it cannot be read
  std::string name;    // as reasons of a change tell it
  std::optional<ResourceTarget> target;
};

Source read_source(const Value& metric) {
  Source source;
  source.type = metric.at("type").as_string();
  source.reason = fmt::format("FailedGet{}Metric", source.type);
  bool of_container = source.type == "ContainerResource";
  const Value& given = metric.at(of_container ? "containerResource" : "resource");
  if (source.type != "Resource" && !of_container) return source;
  ResourceTarget target;
  target.resource = given.at("name").as_string();
  target.container = given.at("container").as_string();
  std::string what = of_container ? "container resource" : "resource";
  source.name = fmt::format("{} {}", target.resource, what);
  if (const Value* percent = given.find({"target", "averageUtilization"})) {
    target.utilization = percent->as_int();
    source.name += " utilization (percentage of request)";
  } else if (auto amount = object::Quantity::parse(given.at({"target", "averageValue"}).as_string()); amount.ok()) {
    target.average_milli = amount->milli_value();
  }
  source.target = std::move(target);
  return source;
}

Tolerance read_tolerance(const Value& spec) {
  Tolerance tolerance;
  auto read = [&](std::string_view direction, double& into) {
    auto parsed = object::Quantity::parse(spec.at({"behavior", direction, "tolerance"}).as_string());
    if (parsed.ok()) into = static_cast<double>(parsed->milli_value()) / 1000;
  };
  read("scaleUp", tolerance.up);
  read("scaleDown", tolerance.down);
  return tolerance;
}

Value metric_status(const Source& source, const ReplicaCount& count) {
  Value current = Value::object({{"averageValue", object::Quantity::from_milli(count.average_milli).str()}});
  if (count.utilization) current.set("averageUtilization", *count.utilization);
  Value about = Value::object({{"name", source.target->resource}, {"current", std::move(current)}});
  std::string_view member = "resource";
  if (!source.target->container.empty()) {
    member = "containerResource";
    about.set("container", source.target->container);
  }
  return Value::object({{"type", source.type}, {member, std::move(about)}});
}

struct Recommendation {
  int64_t replicas = -1;
  std::string metric;
  Value statuses = Value::array();
  size_t invalid = 0;
  Error first_error;
  std::string first_reason;
};

// The largest of what the metrics ask for.
Recommendation recommend(const Observed& observed, int64_t current, std::vector<client::Event>& events, WallTime now) {
  const Value& spec = observed.autoscaler->spec();
  Recommendation best;
  for (const Value& metric : spec.at("metrics").items()) {
    Source source = read_source(metric);
    Result<ReplicaCount> count = make_error(
        Reason::kUnavailable, "unable to fetch metrics: no metrics API of that kind is served (only resource metrics)");
    if (source.target && !observed.metrics.ok()) {
      count = make_error(observed.metrics.error().reason,
                         fmt::format("unable to get metrics for resource {}: unable to fetch metrics from resource "
                                     "metrics API: {}",
                                     source.target->resource, observed.metrics.error().message));
    } else if (source.target) {
      count = count_replicas(*source.target, read_tolerance(spec), current, observed.pods, *observed.metrics, now);
    }
    if (!count.ok()) {
      Error error = count.error();
      if (source.target) {
        error.message =
            fmt::format("failed to get {} {}: {}", source.target->resource,
                        source.target->utilization ? "utilization" : "resource metric value", error.message);
      }
      if (best.invalid++ == 0) {
        best.first_error = error;
        best.first_reason = source.reason;
      }
      events.push_back({observed.autoscaler, "Warning", source.reason, error.message, ""});
      continue;
    }
    best.statuses.append(metric_status(source, *count));
    if (count->replicas > best.replicas) {
      best.replicas = count->replicas;
      best.metric = source.name;
    }
  }
  return best;
}

std::string target_text(const object::Object& autoscaler) {
  const Value& target = autoscaler.spec().at("scaleTargetRef");
  return fmt::format("{}/{}/{}", target.at("kind").as_string(), autoscaler.ns(), target.at("name").as_string());
}

}  // namespace

Decision without_scale(const ObjectPtr& autoscaler, const Error& error, WallTime now) {
  Decision decision;
  decision.status = status_of(*autoscaler);
  set_condition(
      decision.status, kAble,
      {false, "FailedGetScale", "the HPA controller was unable to get the target's current scale: " + error.message},
      now);
  decision.events.push_back({autoscaler, "Warning", "FailedGetScale", error.message, ""});
  return decision;
}

Decision decide(const Observed& observed, History& history, WallTime now) {
  Decision decision;
  Value& status = decision.status;
  const Value& spec = observed.autoscaler->spec();
  status = status_of(*observed.autoscaler);
  const int64_t current = observed.scale.at({"spec", "replicas"}).as_int();
  const int64_t least = spec.at("minReplicas").as_int(1);
  const int64_t most = spec.at("maxReplicas").as_int();
  set_condition(status, kAble,
                {true, "SucceededGetScale", "the HPA controller was able to get the target's current scale"}, now);
  int64_t desired = current;
  status.set("currentReplicas", observed.scale.at({"status", "replicas"}).as_int());
  if (current == 0 && least != 0) {
    desired = 0;
    set_condition(status, kActive,
                  {false, "ScalingDisabled", "scaling is disabled since the replica count of the target is zero"}, now);
  } else if (current > most) {
    desired = most;
    decision.reason = "Current number of replicas above Spec.MaxReplicas";
  } else if (current < least) {
    desired = least;
    decision.reason = "Current number of replicas below Spec.MinReplicas";
  } else {
    Recommendation best = recommend(observed, current, decision.events, now);
    bool unsure = best.invalid > 0 && best.replicas < current;
    if (best.replicas < 0 || unsure) {
      set_condition(
          status, kActive,
          {false, best.first_reason, "the HPA was unable to compute the replica count: " + best.first_error.message},
          now);
      decision.events.push_back(
          {observed.autoscaler, "Warning", "FailedComputeMetricsReplicas",
           fmt::format("failed to compute desired number of replicas based on listed metrics for {}: invalid metrics "
                       "({} invalid out of {}), first error is: {}",
                       target_text(*observed.autoscaler), best.invalid, spec.at("metrics").size(),
                       best.first_error.message),
           ""});
      return decision;
    }
    set_condition(
        status, kActive,
        {true, "ValidMetricFound", "the HPA was able to successfully calculate a replica count from " + best.metric},
        now);
    status.set("currentMetrics", std::move(best.statuses));
    Normalized normalized = normalize(spec, current, best.replicas, history, now);
    desired = normalized.replicas;
    set_condition(status, kAble, normalized.able_to_scale, now);
    set_condition(status, kLimited, normalized.limited, now);
    decision.reason = desired > current ? best.metric + " above target" : "All metrics below target";
  }
  status.set("desiredReplicas", desired);
  if (desired != current) decision.replicas = desired;
  return decision;
}

Decision changed(const Observed& observed, Decision decision, History& history, WallTime now) {
  int64_t current = observed.scale.at({"spec", "replicas"}).as_int();
  history.changes.push_back({now, *decision.replicas - current});
  set_condition(decision.status, kAble,
                {true, "SucceededRescale",
                 fmt::format("the HPA controller was able to update the target scale to {}", *decision.replicas)},
                now);
  decision.status.set("lastScaleTime", object::format_time(now));
  decision.events.push_back({observed.autoscaler, "Normal", "SuccessfulRescale",
                             fmt::format("New size: {}; reason: {}", *decision.replicas, decision.reason), ""});
  return decision;
}

Decision refused(const Observed& observed, Decision decision, const Error& error, WallTime now) {
  set_condition(
      decision.status, kAble,
      {false, "FailedUpdateScale", "the HPA controller was unable to update the target scale: " + error.message}, now);
  decision.events.push_back(
      {observed.autoscaler, "Warning", "FailedRescale",
       fmt::format("New size: {}; reason: {}; error: {}", *decision.replicas, decision.reason, error.message), ""});
  decision.status.set("desiredReplicas", observed.scale.at({"spec", "replicas"}).as_int());
  return decision;
}

}  // namespace stead::controllers::autoscaling
