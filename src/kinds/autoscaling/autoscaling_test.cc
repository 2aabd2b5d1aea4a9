// Autoscalers: defaults, what is refused, and both versions of one object.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kOld = R"(
metadata: {name: web, namespace: ns}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 5, targetCPUUtilizationPercentage: 60}
)";

TEST(Autoscaler, TheOldFormIsTheNewOne) {
  Value made = load("autoscaling", "HorizontalPodAutoscaler", "v1", kOld);
  EXPECT_EQ(made.at("spec").find("targetCPUUtilizationPercentage"), nullptr);
  ASSERT_EQ(made.at({"spec", "metrics"}).size(), 1U);
  EXPECT_EQ(made.at({"spec", "metrics"}).items()[0].at({"resource", "target", "averageUtilization"}).as_int(), 60);
  EXPECT_EQ(made.at({"spec", "minReplicas"}).as_int(), 1);
  EXPECT_THAT(problems("autoscaling", "HorizontalPodAutoscaler", made), IsEmpty());
  Value memory = Value::object({{"type", "Resource"}});
  memory.set({"resource", "name"}, "memory");
  memory.set({"resource", "target"}, Value::object({{"type", "AverageValue"}, {"averageValue", "1Gi"}}));
  made["spec"]["metrics"].append(memory);
  Value back = made;
  const Version* old = registry().find("autoscaling", "horizontalpodautoscalers")->version("v1");
  ASSERT_NE(old, nullptr);
  old->from_hub(back);
  EXPECT_EQ(back.at({"spec", "targetCPUUtilizationPercentage"}).as_int(), 60);
  EXPECT_EQ(back.at("spec").find("metrics"), nullptr);
  old->to_hub(back);
  EXPECT_EQ(back.at("spec"), made.at("spec")) << "what v1 does not know survives in annotations";
}

TEST(Autoscaler, DefaultsToCpu) {
  Value made = load("autoscaling", "HorizontalPodAutoscaler", "v2",
                    "{metadata: {name: w, namespace: ns}, spec: {scaleTargetRef: {kind: D, name: w}, maxReplicas: 2}}");
  EXPECT_EQ(made.at({"spec", "metrics"}).items()[0].at({"resource", "target", "averageUtilization"}).as_int(), 80);
}

TEST(Autoscaler, RejectWhatCannotWork) {
  auto with = [](std::initializer_list<std::string_view> path, Value value) {
    Value made = load("autoscaling", "HorizontalPodAutoscaler", "v1", kOld);
    made.set(path, std::move(value));
    return problems("autoscaling", "HorizontalPodAutoscaler", made);
  };
  EXPECT_THAT(with({"spec", "minReplicas"}, 9),
              ElementsAre("spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"));
  EXPECT_THAT(with({"spec", "scaleTargetRef", "name"}, ""), ElementsAre("spec.scaleTargetRef.name: Required value"));
  EXPECT_THAT(with({"spec", "metrics"}, Value::array({Value::object({{"type", "Pods"}})})),
              ElementsAre(HasSubstr("spec.metrics[0].pods: Required value")));
  Value pods = Value::object(
      {{"metric", Value::object({{"name", "a/b"}})}, {"target", Value::object({{"type", "Odd"}, {"value", "1"}})}});
  EXPECT_THAT(
      with({"spec", "metrics"}, Value::array({Value::object({{"type", "Pods"}, {"pods", pods}})})),
      ElementsAre("spec.metrics[0].pods.target.type: Invalid value: \"Odd\": must be either Utilization, Value, "
                  "or AverageValue",
                  "spec.metrics[0].pods.metric.name: Invalid value: \"a/b\": may not contain '/'",
                  "spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target "
                  "averageValue"));
}

TEST(Autoscaler, Row) {
  Value made = load("autoscaling", "HorizontalPodAutoscaler", "v1", kOld);
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  EXPECT_THAT(row("autoscaling", "HorizontalPodAutoscaler", made, *object::parse_time("2026-01-01T00:00:05Z")),
              ElementsAre("web", "Deployment/web", "cpu: <unknown>/60%", "1", "5", "0", "5s"));
}

}  // namespace
}  // namespace stead::kinds
