#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/cluster_roles/aggregation_policy.h"
#include "object/codec.h"

namespace stead::controllers::cluster_roles {
namespace {

ObjectPtr role(std::string_view json) { return object::make_object(*object::parse_json(json), 1); }

ObjectPtr rule_role(const std::string& name, const std::string& label, const std::string& verb) {
  return role(R"({"metadata":{"name":")" + name + R"(","labels":{")" + label + R"(":"true"}},"rules":[{"verbs":[")" +
              verb + R"("],"apiGroups":[""],"resources":["pods"]}]})");
}

constexpr std::string_view kSum = R"({"metadata":{"name":"sum","labels":{"to-a":"true"}},"rules":[{"verbs":["old"]}],
    "aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"to-b":"true"}},{"matchLabels":{"to-a":"true"}}]}})";

TEST(Aggregation, TakesOverRulesBySelectorThenNameWithoutRepetition) {
  ObjectPtr sum = role(kSum);
  std::vector<ObjectPtr> roles = {rule_role("a1", "to-a", "get"), rule_role("a2", "to-a", "list"),
                                  rule_role("b1", "to-b", "get"), rule_role("c", "to-c", "watch"), sum};
  client::Plan plan = decide(*sum, roles);
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].request.verb, client::Verb::kUpdate);
  std::vector<std::string> verbs;
  for (const Value& rule : plan.steps[0].request.body.at("rules").items()) {
    verbs.emplace_back(rule.at("verbs").items()[0].as_string());
  }
  EXPECT_THAT(verbs, testing::ElementsAre("get", "list"));
}

TEST(Aggregation, LeavesAloneWhatStandsAndWhatAggregatesNothing) {
  ObjectPtr plain = rule_role("a1", "to-a", "get");
  EXPECT_TRUE(decide(*plain, {plain}).steps.empty());
  ObjectPtr sum = role(kSum);
  Value done = sum->document();
  done.set("rules", plain->document().at("rules"));
  EXPECT_TRUE(decide(*object::make_object(done, 2), {plain}).steps.empty());
  // The last of them is gone: so are its rules.
  client::Plan plan = decide(*sum, {sum});
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_TRUE(plan.steps[0].request.body.at("rules").empty());
}

}  // namespace
}  // namespace stead::controllers::cluster_roles
