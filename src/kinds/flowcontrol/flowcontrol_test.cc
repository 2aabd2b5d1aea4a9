#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"

namespace stead::kinds {
namespace {

std::vector<std::string> problems_of(std::string_view kind, std::string_view text) {
  constexpr std::string_view kGroup = "flowcontrol.apiserver.k8s.io";
  return problems(kGroup, kind, load(kGroup, kind, "v1", text));
}

using Texts = std::vector<std::string>;

TEST(FlowControl, SchemasNameRequests) {
  EXPECT_EQ(problems_of("FlowSchema", R"({"metadata":{"name":"a"},"spec":{"matchingPrecedence":500,
      "priorityLevelConfiguration":{"name":"global-default"},"distinguisherMethod":{"type":"ByUser"},"rules":[
      {"subjects":[{"kind":"Group","group":{"name":"system:authenticated"}}],"nonResourceRules":[{"verbs":["*"],
      "nonResourceURLs":["*"]}],"resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],"clusterScope":true,
      "namespaces":["*"]}]}]}})"),
            Texts());
  // NOLINTBEGIN(bugprone-suspicious-missing-comma): texts longer than a line
  EXPECT_EQ(problems_of("FlowSchema", R"({"metadata":{"name":"a"},"spec":{"matchingPrecedence":1,"rules":[
      {"subjects":[{"kind":"User","group":{"name":"g"}}],"resourceRules":[{"verbs":["*","get"],"apiGroups":[""],
      "resources":["pods"]}]}]}})"),
            (Texts{"spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have "
                   "matchingPrecedence 1",
                   "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
                   "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
                   "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
                   "spec.rules[0].resourceRules[0].verbs: Invalid value: [\"*\",\"get\"]: if '*' is present, must not "
                   "specify other verbs",
                   "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster "
                   "scoped must supply at least one namespace"}));
  // NOLINTEND(bugprone-suspicious-missing-comma)
}

TEST(FlowControl, LevelsAreLimitedOrExempt) {
  EXPECT_EQ(problems_of("PriorityLevelConfiguration", R"({"metadata":{"name":"a"},"spec":{"type":"Limited","limited":{
      "nominalConcurrencyShares":30,"limitResponse":{"type":"Queue","queuing":{"queues":64,"handSize":8,
      "queueLengthLimit":50}}}}})"),
            Texts());
  EXPECT_EQ(
      problems_of("PriorityLevelConfiguration", R"({"metadata":{"name":"a"},"spec":{"type":"Exempt","limited":{}}})"),
      (Texts{"spec.limited: Forbidden: must be nil if the type is not Limited"}));
  EXPECT_EQ(problems_of("PriorityLevelConfiguration",
                        R"({"metadata":{"name":"a"},"spec":{"type":"Limited","limited":{"lendablePercent":101,
      "limitResponse":{"type":"Queue","queuing":{"queues":4,"handSize":8,"queueLengthLimit":-1}}}}})"),
            (Texts{"spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
                   "spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: -1: must be positive",
                   "spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater than queues "
                   "(4)"}));
}

}  // namespace
}  // namespace stead::kinds
