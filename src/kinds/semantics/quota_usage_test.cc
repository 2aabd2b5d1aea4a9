// What objects count for in quotas, and which quotas are about them.

#include "kinds/semantics/quota_usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::map<std::string, std::string> usage(std::string_view group, std::string_view resource, const Value& document) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, amount] : quota_usage(group, resource, document)) texts[name] = amount.str();
  return texts;
}

Value pod(std::string_view spec) {
  return load("", "Pod", "v1", "{metadata: {name: p, namespace: ns}, spec: " + std::string(spec) + "}");
}

Value quota(std::string_view spec) {
  return load("", "ResourceQuota", "v1", "{metadata: {name: q, namespace: ns}, spec: " + std::string(spec) + "}");
}

TEST(QuotaUsage, OfPods) {
  Value made =
      pod("{containers: [{name: a, image: i, resources: {requests: {cpu: 100m, memory: 1Gi}, limits: {cpu: 1}}}, "
          "{name: b, image: i, resources: {requests: {cpu: 50m}}}]}");
  EXPECT_THAT(usage("", "pods", made),
              UnorderedElementsAre(Pair("count/pods", "1"), Pair("pods", "1"), Pair("cpu", "150m"),
                                   Pair("requests.cpu", "150m"), Pair("limits.cpu", "1"), Pair("memory", "1073741824"),
                                   Pair("requests.memory", "1073741824")));
  made.set({"status", "phase"}, "Succeeded");
  EXPECT_THAT(usage("", "pods", made), ElementsAre(Pair("count/pods", "1"))) << "it uses nothing any more";
}

TEST(QuotaUsage, OfOthers) {
  Value service =
      load("", "Service", "v1",
           "{metadata: {name: s, namespace: ns}, spec: {type: NodePort, ports: [{port: 1}, {port: 2, name: b}]}}");
  EXPECT_THAT(usage("", "services", service), UnorderedElementsAre(Pair("count/services", "1"), Pair("services", "1"),
                                                                   Pair("services.nodeports", "2")));
  Value claim =
      load("", "PersistentVolumeClaim", "v1",
           "{metadata: {name: c, namespace: ns}, spec: {storageClassName: fast, resources: {requests: {storage: "
           "2Gi}}}}");
  EXPECT_THAT(usage("", "persistentvolumeclaims", claim),
              UnorderedElementsAre(Pair("count/persistentvolumeclaims", "1"), Pair("persistentvolumeclaims", "1"),
                                   Pair("requests.storage", "2Gi"),
                                   Pair("fast.storageclass.storage.k8s.io/persistentvolumeclaims", "1"),
                                   Pair("fast.storageclass.storage.k8s.io/requests.storage", "2Gi")));
  EXPECT_THAT(usage("apps", "deployments", Value::object()), ElementsAre(Pair("count/deployments.apps", "1")));
}

TEST(QuotaScopes, Table) {
  struct Case {
    std::string_view quota, pod;
    bool covers;
  };
  const Case cases[] = {
      {"{hard: {pods: 1}}", "{containers: [{name: a, image: i}]}", true},
      {"{hard: {pods: 1}, scopes: [BestEffort]}", "{containers: [{name: a, image: i}]}", true},
      {"{hard: {pods: 1}, scopes: [NotBestEffort]}", "{containers: [{name: a, image: i}]}", false},
      {"{hard: {pods: 1}, scopes: [BestEffort]}",
       "{containers: [{name: a, image: i, resources: {requests: {cpu: 1}}}]}", false},
      {"{hard: {pods: 1}, scopes: [Terminating]}", "{activeDeadlineSeconds: 5, containers: [{name: a, image: i}]}",
       true},
      {"{hard: {pods: 1}, scopes: [NotTerminating]}", "{activeDeadlineSeconds: 5, containers: [{name: a, image: i}]}",
       false},
      {"{hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: "
       "[high]}]}}",
       "{priorityClassName: high, containers: [{name: a, image: i}]}", true},
      {"{hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: "
       "[high]}]}}",
       "{priorityClassName: low, containers: [{name: a, image: i}]}", false},
      {"{hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: Exists}]}}",
       "{containers: [{name: a, image: i}]}", false},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(quota_covers(quota(each.quota), "", "pods", pod(each.pod)), each.covers) << each.quota << each.pod;
  }
}

TEST(QuotaScopes, AClaimIsOfEachAttributesClassThatItHasOrWants) {
  const Value by_class = quota(
      "{hard: {requests.storage: 1Gi}, scopeSelector: {matchExpressions: [{scopeName: VolumeAttributesClass, operator: "
      "In, values: [gold]}]}}");
  const Value without = quota(
      "{hard: {requests.storage: 1Gi}, scopeSelector: {matchExpressions: [{scopeName: VolumeAttributesClass, operator: "
      "DoesNotExist}]}}");
  Value claim = load("", "PersistentVolumeClaim", "v1", "{metadata: {name: c, namespace: ns}, spec: {}}");
  auto covers = [&](const Value& quota) { return quota_covers(quota, "", "persistentvolumeclaims", claim); };
  EXPECT_FALSE(covers(by_class));
  EXPECT_TRUE(covers(without));
  claim.set({"spec", "volumeAttributesClassName"}, "silver");
  claim.set({"status", "currentVolumeAttributesClassName"}, "gold");
  EXPECT_TRUE(covers(by_class));
  EXPECT_FALSE(covers(without));
}

TEST(QuotaCounts, AreSplitIntoGroupAndName) {
  EXPECT_THAT(quota_counts(quota("{hard: {pods: 1, count/configmaps: 1, count/tabs.stable.example.com: 2}}")),
              ElementsAre(Pair("", "configmaps"), Pair("stable.example.com", "tabs")));
}

TEST(QuotaLimits, OnlyWhatItNames) {
  Value made = quota("{hard: {pods: 1, services.nodeports: 2, count/deployments.apps: 3}}");
  EXPECT_TRUE(quota_limits(made, "", "pods"));
  EXPECT_TRUE(quota_limits(made, "", "services"));
  EXPECT_TRUE(quota_limits(made, "apps", "deployments"));
  EXPECT_FALSE(quota_limits(made, "", "configmaps"));
  EXPECT_FALSE(quota_limits(made, "", "persistentvolumeclaims"));
  EXPECT_FALSE(quota_limits(quota("{hard: {services: 1}}"), "", "pods"));
}

TEST(QuotaOmissions, NameWhatIsMissingAndWhere) {
  Value made = pod("{containers: [{name: a, image: i, resources: {requests: {cpu: 1}}}, {name: b, image: i}]}");
  EXPECT_EQ(quota_omissions(quota("{hard: {requests.cpu: 1, limits.memory: 1Gi, pods: 5}}"), made),
            "limits.memory for: a,b; requests.cpu for: b");
  EXPECT_EQ(quota_omissions(quota("{hard: {pods: 5}}"), made), "");
}

TEST(QuotaRules, RejectWhatCannotWork) {
  auto problems_of = [](std::string_view spec) { return problems("", "ResourceQuota", quota(spec)); };
  EXPECT_THAT(problems_of("{hard: {cpu: 1, count/jobs.batch: 4, requests.example.com/gpu: 2}}"), IsEmpty());
  EXPECT_THAT(problems_of("{hard: {shoes: 1}}"),
              ElementsAre("spec.hard[shoes]: Invalid value: \"shoes\": must be a standard resource type or fully "
                          "qualified",
                          "spec.hard[shoes]: Invalid value: \"shoes\": must be a standard resource for quota"));
  EXPECT_THAT(problems_of("{hard: {pods: 1500m}}"),
              ElementsAre("spec.hard[pods]: Invalid value: \"1500m\": must be an integer"));
  EXPECT_THAT(problems_of("{hard: {services: 1}, scopes: [BestEffort]}"),
              ElementsAre("spec.scopes: Invalid value: [\"BestEffort\"]: unsupported scope applied to resource"));
  EXPECT_THAT(problems_of("{hard: {pods: 1}, scopes: [BestEffort, NotBestEffort]}"),
              ElementsAre(testing::HasSubstr("conflicting scopes")));
}

TEST(LimitRangeRules, DefaultsAndOrder) {
  Value made = load("", "LimitRange", "v1", R"(
metadata: {name: l, namespace: ns}
spec: {limits: [{type: Container, max: {cpu: 1}, min: {memory: 1Mi}}]}
)");
  const Value& item = made.at({"spec", "limits"}).items()[0];
  EXPECT_EQ(item.at({"default", "cpu"}).as_string(), "1");
  EXPECT_EQ(item.at({"defaultRequest", "cpu"}).as_string(), "1");
  EXPECT_EQ(item.at({"defaultRequest", "memory"}).as_string(), "1Mi");
  EXPECT_THAT(problems("", "LimitRange", made), IsEmpty());
  Value wrong = load("", "LimitRange", "v1", R"(
metadata: {name: l, namespace: ns}
spec: {limits: [{type: Pod, max: {cpu: 1}, min: {cpu: 2}}]}
)");
  EXPECT_THAT(problems("", "LimitRange", wrong),
              ElementsAre("spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1"));
}

TEST(QuotaRules, ScopesSelectWhatTheyCanLimit) {
  auto problems_of = [](std::string_view spec) { return problems("", "ResourceQuota", quota(spec)); };
  EXPECT_THAT(
      problems_of("{hard: {persistentvolumeclaims: 1, requests.storage: 1Gi}, scopeSelector: {matchExpressions: "
                  "[{scopeName: VolumeAttributesClass, operator: In, values: [gold]}]}}"),
      IsEmpty());
  EXPECT_THAT(
      problems_of("{hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: Terminating, operator: In}]}}"),
      ElementsAre(testing::HasSubstr("spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must "
                                     "be 'Exists'"),
                  testing::HasSubstr("spec.scopeSelector.matchExpressions.values: Required value")));
}

TEST(LimitRangeRules, NamesAndRatios) {
  auto problems_of = [](std::string_view item) {
    return problems("", "LimitRange",
                    load("", "LimitRange", "v1",
                         "{metadata: {name: l, namespace: ns}, spec: {limits: [" + std::string(item) + "]}}"));
  };
  EXPECT_THAT(problems_of("{type: Shoes, max: {cpu: 1}}"),
              ElementsAre("spec.limits[0].type: Invalid value: \"Shoes\": must be a standard limit type or fully "
                          "qualified"));
  EXPECT_THAT(problems_of("{type: Container, max: {pods: 1}}"),
              testing::Contains("spec.limits[0].max[pods]: Invalid value: \"pods\": must be a standard resource for "
                                "containers"));
  EXPECT_THAT(problems_of("{type: Pod, max: {cpu: 2}, min: {cpu: 1}, maxLimitRequestRatio: {cpu: 3}}"),
              ElementsAre("spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"3\": ratio 3 is greater than "
                          "max/min = 2.000000"));
  EXPECT_THAT(
      problems_of("{type: Container, default: {hugepages-2Mi: 4Mi}, defaultRequest: {hugepages-2Mi: 2Mi}}"),
      ElementsAre("spec.limits[0].defaultRequest[hugepages-2Mi]: Invalid value: \"2Mi\": default value 4Mi must "
                  "equal to defaultRequest value 2Mi in hugepages-2Mi"));
}

}  // namespace
}  // namespace stead::kinds
