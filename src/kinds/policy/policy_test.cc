// Disruption budgets: what is refused, what an empty selector means by version, the row of kubectl.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value budget(std::string_view version, std::string_view spec) {
  return load("policy", "PodDisruptionBudget", version,
              "{metadata: {name: web, namespace: ns}, spec: " + std::string(spec) + "}");
}

std::vector<std::string> problems_of(std::string_view spec) {
  return problems("policy", "PodDisruptionBudget", budget("v1", spec));
}

TEST(DisruptionBudget, Rules) {
  EXPECT_THAT(problems_of("{minAvailable: 2, selector: {}}"), IsEmpty());
  EXPECT_THAT(problems_of("{maxUnavailable: 30%}"), IsEmpty());
  EXPECT_THAT(problems_of("{minAvailable: 1, maxUnavailable: 1}"),
              ElementsAre(HasSubstr("minAvailable and maxUnavailable cannot be both set")));
  EXPECT_THAT(problems_of("{minAvailable: -1}"),
              ElementsAre("spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"));
  EXPECT_THAT(problems_of("{minAvailable: 101%}"),
              ElementsAre("spec.minAvailable: Invalid value: \"101%\": must not be greater than 100%"));
  EXPECT_THAT(problems_of("{unhealthyPodEvictionPolicy: Sometimes}"),
              ElementsAre(HasSubstr("supported values: \"AlwaysAllow\", \"IfHealthyBudget\"")));
}

TEST(DisruptionBudget, AnEmptySelectorMeantNothingOnce) {
  EXPECT_TRUE(budget("v1", "{selector: {}}").at({"spec", "selector", "matchExpressions"}).empty());
  Value old = budget("v1beta1", "{selector: {}}");
  EXPECT_EQ(old.at({"spec", "selector", "matchExpressions"}).size(), 1U);
  registry().find("policy", "poddisruptionbudgets")->version("v1beta1")->from_hub(old);
  EXPECT_TRUE(old.at({"spec", "selector"}).empty());
}

TEST(DisruptionBudget, Row) {
  Value made = budget("v1", "{minAvailable: 50%}");
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  made.set({"status", "disruptionsAllowed"}, 2);
  EXPECT_THAT(row("policy", "PodDisruptionBudget", made, *object::parse_time("2026-01-01T00:00:05Z")),
              ElementsAre("web", "50%", "N/A", "2", "5s"));
}

}  // namespace
}  // namespace stead::kinds
