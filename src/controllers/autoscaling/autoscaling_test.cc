// Autoscalers: how many pods a load needs, how fast the size may move, what the status says.

#include <gtest/gtest.h>

#include "controllers/autoscaling/autoscaler_policy.h"
#include "object/codec.h"
#include "object/time.h"

namespace stead::controllers::autoscaling {
namespace {

const WallTime kNow = *object::parse_time("2026-01-01T12:00:00Z");

ObjectPtr object_of(const std::string& text) { return object::make_object(*object::parse_json(text), 1); }

ObjectPtr pod(int index, const std::string& ready = "True", const std::string& phase = "Running") {
  return object_of(R"({"metadata":{"name":"p)" + std::to_string(index) + R"(","namespace":"n"},"spec":{"containers":[
      {"name":"c","resources":{"requests":{"cpu":"100m","memory":"100Mi"}}}]},"status":{"phase":")" +
                   phase + R"(","startTime":"2026-01-01T10:00:00Z","conditions":[{"type":"Ready","status":")" + ready +
                   R"(","lastTransitionTime":"2026-01-01T10:00:05Z"}]}})");
}

ObjectPtr metric(int index, const std::string& cpu) {
  return object_of(R"({"metadata":{"name":"p)" + std::to_string(index) + R"(","namespace":"n"},
      "timestamp":"2026-01-01T11:59:50Z","window":"15s","containers":[{"name":"c","usage":{"cpu":")" +
                   cpu + R"(","memory":"50Mi"}}]})");
}

const ResourceTarget kHalf{"cpu", "", 50, 0};

int64_t replicas(const ResourceTarget& target, int64_t current, std::vector<ObjectPtr> pods,
                 std::vector<ObjectPtr> metrics) {
  auto count = count_replicas(target, {}, current, pods, metrics, kNow);
  EXPECT_TRUE(count.ok()) << (count.ok() ? "" : count.error().message);
  return count.ok() ? count->replicas : -1;
}

TEST(ResourceReplicas, FollowTheLoad) {
  EXPECT_EQ(replicas(kHalf, 2, {pod(1), pod(2)}, {metric(1, "100m"), metric(2, "100m")}), 4);
  EXPECT_EQ(replicas(kHalf, 2, {pod(1), pod(2)}, {metric(1, "10m"), metric(2, "10m")}), 1);
  EXPECT_EQ(replicas(kHalf, 2, {pod(1), pod(2)}, {metric(1, "52m"), metric(2, "51m")}), 2) << "within the tolerance";
  EXPECT_EQ(replicas({"cpu", "", {}, 25}, 2, {pod(1), pod(2)}, {metric(1, "50m"), metric(2, "50m")}), 4);
}

TEST(ResourceReplicas, WhatIsNotKnownHoldsBack) {
  // The missing one counts as idle when growing, as busy when shrinking.
  EXPECT_EQ(replicas(kHalf, 2, {pod(1), pod(2)}, {metric(1, "150m")}), 3);
  EXPECT_EQ(replicas(kHalf, 2, {pod(1), pod(2)}, {metric(1, "10m")}), 2);
  // One that is not ready counts as idle when growing, and not at all when shrinking.
  EXPECT_EQ(replicas(kHalf, 2, {pod(1), pod(2, "False", "Pending")}, {metric(1, "150m")}), 3);
  EXPECT_EQ(replicas(kHalf, 3, {pod(1), pod(2), pod(3, "False", "Pending")}, {metric(1, "20m"), metric(2, "20m")}), 1);
}

TEST(ResourceReplicas, SayWhyTheyCannotCount) {
  auto none = count_replicas(kHalf, {}, 1, {pod(1)}, {}, kNow);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message,
            "unable to get metrics for resource cpu: no metrics returned from resource metrics API");
  ObjectPtr bare = object_of(R"({"metadata":{"name":"p1"},"spec":{"containers":[{"name":"c"}]},"status":{
      "phase":"Running","startTime":"2026-01-01T10:00:00Z","conditions":[{"type":"Ready","status":"True",
      "lastTransitionTime":"2026-01-01T10:00:05Z"}]}})");
  auto bare_count = count_replicas(kHalf, {}, 1, {bare}, {metric(1, "10m")}, kNow);
  ASSERT_FALSE(bare_count.ok());
  EXPECT_EQ(bare_count.error().message, "missing request for cpu in container c of Pod p1");
}

Value spec(const std::string& more = {}) {
  return *object::parse_json(R"({"minReplicas":1,"maxReplicas":20)" + more + "}");
}

TEST(ScalingRules, GrowByDoublingOrFourAtMost) {
  History history;
  EXPECT_EQ(normalize(spec(), 1, 20, history, kNow).replicas, 5);
  EXPECT_EQ(normalize(spec(), 8, 20, history, kNow).replicas, 16);
  Normalized limited = normalize(spec(), 8, 20, history, kNow);
  EXPECT_EQ(limited.limited.reason, "ScaleUpLimit");
  EXPECT_EQ(normalize(spec(), 16, 40, history, kNow).limited.reason, "TooManyReplicas");
  history.changes.push_back({kNow - std::chrono::seconds(5), 4});
  EXPECT_EQ(normalize(spec(), 5, 20, history, kNow).replicas, 5) << "four were added within the period";
}

TEST(ScalingRules, ShrinkOnlyAfterTheWindow) {
  History history;
  history.recommendations.push_back({kNow - std::chrono::seconds(200), 6});
  Normalized held = normalize(spec(), 6, 2, history, kNow);
  EXPECT_EQ(held.replicas, 6);
  EXPECT_EQ(held.able_to_scale.reason, "ScaleDownStabilized");
  EXPECT_EQ(normalize(spec(), 6, 2, history, kNow + std::chrono::seconds(101)).replicas, 2);
  Value quick = spec(R"(,"behavior":{"scaleDown":{"stabilizationWindowSeconds":0,"policies":[
      {"type":"Pods","value":1,"periodSeconds":60}]}})");
  EXPECT_EQ(normalize(quick, 6, 2, history, kNow).replicas, 5);
  Value never = spec(R"(,"behavior":{"scaleDown":{"stabilizationWindowSeconds":0,"selectPolicy":"Disabled"}})");
  EXPECT_EQ(normalize(never, 6, 2, history, kNow).replicas, 6);
}

Observed observed(int64_t current, std::vector<ObjectPtr> metrics) {
  ObjectPtr autoscaler = object_of(R"({"metadata":{"name":"h","namespace":"n","uid":"u"},"spec":{"minReplicas":1,
      "maxReplicas":10,"scaleTargetRef":{"kind":"Deployment","name":"d","apiVersion":"apps/v1"},"metrics":[
      {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}]}})");
  Value scale = Value::object(
      {{"spec", Value::object({{"replicas", current}})}, {"status", Value::object({{"replicas", current}})}});
  return {autoscaler, scale, {pod(1)}, std::move(metrics)};
}

std::string condition(const Decision& decision, std::string_view type, std::string_view field = "reason") {
  for (const Value& one : decision.status.at("conditions").items()) {
    if (one.at("type").as_string() == type) return std::string(one.at(field).as_string());
  }
  return {};
}

TEST(AutoscalerPolicy, GrowsAndTellsWhy) {
  History history;
  Observed seen = observed(1, {metric(1, "100m")});
  Decision decision = decide(seen, history, kNow);
  ASSERT_EQ(decision.replicas, 2);
  EXPECT_EQ(condition(decision, "ScalingActive"), "ValidMetricFound");
  EXPECT_EQ(decision.status.at("currentMetrics").items()[0].at({"resource", "current", "averageUtilization"}).as_int(),
            100);
  Decision done = changed(seen, std::move(decision), history, kNow);
  EXPECT_EQ(condition(done, "AbleToScale"), "SucceededRescale");
  EXPECT_EQ(done.events.back().message,
            "New size: 2; reason: cpu resource utilization (percentage of request) above "
            "target");
  ASSERT_EQ(history.changes.size(), 1u);
  EXPECT_EQ(history.changes[0].replicas, 1);
}

TEST(AutoscalerPolicy, WithoutMetricsNothingIsChanged) {
  History history;
  Decision decision = decide(observed(1, {}), history, kNow);
  EXPECT_FALSE(decision.replicas.has_value());
  EXPECT_EQ(condition(decision, "ScalingActive"), "FailedGetResourceMetric");
  EXPECT_EQ(condition(decision, "ScalingActive", "message"),
            "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for "
            "resource cpu: no metrics returned from resource metrics API");
  EXPECT_EQ(decision.events.back().reason, "FailedComputeMetricsReplicas");
}

TEST(AutoscalerPolicy, BoundsHoldWithoutMetrics) {
  History history;
  EXPECT_EQ(decide(observed(12, {}), history, kNow).replicas, 10);
  Decision zero = decide(observed(0, {}), history, kNow);
  EXPECT_FALSE(zero.replicas.has_value());
  EXPECT_EQ(condition(zero, "ScalingActive"), "ScalingDisabled");
}

}  // namespace
}  // namespace stead::controllers::autoscaling
