#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

Value rbac(std::string_view kind, std::string_view rest, std::string_view version = "v1") {
  return load(kGroup, kind, version, "metadata: {name: 'a:b', namespace: ns}\n" + std::string(rest));
}

TEST(RoleRules, NeedVerbsGroupsAndResourcesOrPaths) {
  EXPECT_THAT(problems(kGroup, "Role", rbac("Role", "rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]")),
              IsEmpty());
  EXPECT_THAT(problems(kGroup, "Role", rbac("Role", "rules: [{}]")),
              ElementsAre("rules[0].verbs: Required value: verbs must contain at least one value",
                          "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
                          "rules[0].resources: Required value: resource rules must supply at least one resource"));
  EXPECT_THAT(problems(kGroup, "Role", rbac("Role", "rules: [{verbs: [get], nonResourceURLs: [/x]}]")),
              ElementsAre("rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to "
                          "non-resource URLs"));
  EXPECT_THAT(problems(kGroup, "ClusterRole",
                       rbac("ClusterRole", "rules: [{verbs: [get], nonResourceURLs: [/x], apiGroups: ['']}]")),
              ElementsAre("rules[0].nonResourceURLs: Invalid value: [\"/x\"]: rules cannot apply to both regular "
                          "resources and non-resource URLs"));
  EXPECT_THAT(problems(kGroup, "ClusterRole", rbac("ClusterRole", "aggregationRule: {}")),
              ElementsAre("aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector "
                          "required if aggregationRule is non-nil"));
}

TEST(BindingRules, SubjectsGetTheGroupOfTheirKind) {
  Value binding = rbac("RoleBinding",
                       "roleRef: {kind: Role, name: r}\n"
                       "subjects: [{kind: User, name: u}, {kind: Group, name: g}, {kind: ServiceAccount, name: s}]");
  EXPECT_THAT(problems(kGroup, "RoleBinding", binding), IsEmpty());
  EXPECT_EQ(binding.at({"roleRef", "apiGroup"}).as_string(), kGroup);
  EXPECT_EQ(binding.at("subjects").items()[0].at("apiGroup").as_string(), kGroup);
  EXPECT_EQ(binding.at("subjects").items()[2].at("apiGroup").as_string(), "");
  EXPECT_THAT(row(kGroup, "RoleBinding", binding, WallTime{}),
              ElementsAre("a:b", "Role/r", "<unknown>", "u", "g", "/s"));
}

TEST(BindingRules, RefuseWhatNobodyIs) {
  EXPECT_THAT(problems(kGroup, "ClusterRoleBinding",
                       rbac("ClusterRoleBinding",
                            "roleRef: {kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: s}, {kind: Robot, "
                            "name: x}]")),
              ElementsAre("roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"",
                          "subjects[0].namespace: Required value",
                          "subjects[1].kind: Unsupported value: \"Robot\": supported values: \"ServiceAccount\", "
                          "\"User\", \"Group\""));
  Value old = rbac("RoleBinding", "roleRef: {kind: Role, name: r}");
  Value other = rbac("RoleBinding", "roleRef: {kind: Role, name: q}", "v1beta1");
  EXPECT_THAT(update_problems(kGroup, "RoleBinding", other, old).size(), 1U);
}

}  // namespace
}  // namespace stead::kinds
