#include "apiserver/authorization/policy_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apiserver/authorization/bootstrap_policy.h"
#include "kinds/meta/metadata.h"
#include "kinds/registry.h"

namespace stead::apiserver {
namespace {

Attributes on(std::string_view verb, std::string_view group, std::string_view resource, std::string_view subresource,
              std::string_view name = {}) {
  return {verb, group, "v1", resource, subresource, "ns", name, {}};
}

TEST(PolicyRule, AllowsByVerbGroupResourceAndName) {
  PolicyRule rule{{"get", "list"}, {"", "apps"}, {"pods", "pods/log", "*/scale"}, {}, {}};
  EXPECT_TRUE(rule_allows(rule, on("get", "", "pods", "")));
  EXPECT_FALSE(rule_allows(rule, on("watch", "", "pods", "")));
  EXPECT_FALSE(rule_allows(rule, on("get", "batch", "pods", "")));
  EXPECT_FALSE(rule_allows(rule, on("get", "", "pods", "exec")));
  EXPECT_TRUE(rule_allows(rule, on("get", "", "pods", "log")));
  EXPECT_TRUE(rule_allows(rule, on("get", "apps", "statefulsets", "scale")));
  EXPECT_FALSE(rule_allows(rule, on("get", "apps", "statefulsets", "")));
  rule.names = {"a"};
  EXPECT_TRUE(rule_allows(rule, on("get", "", "pods", "", "a")));
  EXPECT_FALSE(rule_allows(rule, on("get", "", "pods", "", "b")));
  EXPECT_FALSE(rule_allows(rule, on("list", "", "pods", "")));
  PolicyRule all{{"*"}, {"*"}, {"*"}, {}, {}};
  EXPECT_TRUE(rule_allows(all, on("escalate", "x.dev", "things", "deep")));
  EXPECT_FALSE(rule_allows(all, Attributes{"get", {}, {}, {}, {}, {}, {}, "/metrics"}));
}

TEST(PolicyRule, PathsMatchWholeOrByPrefix) {
  PolicyRule rule{{"get"}, {}, {}, {}, {"/api", "/apis/*"}};
  auto path = [](std::string_view text) { return Attributes{"get", {}, {}, {}, {}, {}, {}, text}; };
  EXPECT_TRUE(rule_allows(rule, path("/api")));
  EXPECT_TRUE(rule_allows(rule, path("/apis/apps")));
  EXPECT_FALSE(rule_allows(rule, path("/apis")));
  EXPECT_FALSE(rule_allows(rule, path("/api/v1")));
  EXPECT_FALSE(rule_allows(rule, on("get", "", "pods", "")));
}

TEST(PolicyRule, MissingRightsAreToldByResource) {
  PolicyRules owned = {{{"get"}, {""}, {"pods", "*/status"}, {}, {}},
                       {{"*"}, {"apps"}, {"*"}, {}, {}},
                       {{"get"}, {""}, {"secrets"}, {"mine"}, {}},
                       {{"get"}, {}, {}, {}, {"/logs/*"}}};
  EXPECT_THAT(*missing_rights(owned, {{{"get"}, {""}, {"pods", "pods/status"}, {}, {}},
                                      {{"x", "*"}, {"apps"}, {"a", "b/c"}, {"n"}, {}},
                                      {{"get"}, {""}, {"secrets"}, {"mine"}, {}},
                                      {{"get"}, {}, {}, {}, {"/logs/a", "/logs/b/*"}}}),
              testing::IsEmpty());
  PolicyRules missing = *missing_rights(owned, {{{"get", "list", "watch"}, {""}, {"pods"}, {}, {}},
                                                {{"get"}, {""}, {"secrets"}, {}, {}},
                                                {{"get"}, {"*"}, {"pods"}, {}, {}},
                                                {{"get"}, {}, {}, {}, {"/logs", "*"}}});
  std::vector<std::string> told;
  for (const PolicyRule& rule : missing) told.push_back(describe(rule));
  EXPECT_THAT(told, testing::ElementsAre(R"({APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]})",
                                         R"({APIGroups:[""], Resources:["secrets"], Verbs:["get"]})",
                                         R"({APIGroups:["*"], Resources:["pods"], Verbs:["get"]})",
                                         R"({NonResourceURLs:["/logs"], Verbs:["get"]})",
                                         R"({NonResourceURLs:["*"], Verbs:["get"]})"));
}

TEST(PolicyRule, TooManyRightsAreRefusedBeforeTheyAreCompared) {
  PolicyRule wide{{}, {}, {}, {}, {}};
  for (int i = 0; i < 100; ++i) {
    wide.verbs.push_back("v" + std::to_string(i));
    wide.groups.push_back("g" + std::to_string(i));
    wide.resources.push_back("r" + std::to_string(i));
  }
  EXPECT_FALSE(missing_rights({}, {wide}).ok());
}

TEST(BootstrapPolicy, IsValidAndBindsOnlyRolesThatAreThere) {
  std::vector<std::string> roles;
  size_t bindings = 0;
  for (const BootstrapObject& object : bootstrap_policy()) {
    std::string_view kind = object.document.at("kind").as_string();
    const kinds::Resource* resource = kinds::registry().find("rbac.authorization.k8s.io", object.resource);
    ASSERT_NE(resource, nullptr);
    object::FieldErrors errors;
    kinds::validate_metadata(*resource, object.document, errors);
    resource->rules.validate(object.document, errors);
    EXPECT_TRUE(errors.empty()) << errors.to_error("", kind, "").message;
    std::string ns(object.document.at({"metadata", "namespace"}).as_string());
    if (kind.ends_with("Binding")) {
      ++bindings;
      EXPECT_THAT(roles,
                  testing::Contains(ns + "/" + std::string(object.document.at({"roleRef", "name"}).as_string())));
    } else {
      roles.push_back(ns + "/" + std::string(object.document.at({"metadata", "name"}).as_string()));
      if (object.document.at("aggregationRule").is_null()) {
        EXPECT_FALSE(object.document.at("rules").empty()) << roles.back();
      }
    }
  }
  EXPECT_GT(roles.size(), 60U);
  EXPECT_GT(bindings, 40U);
}

TEST(BootstrapPolicy, ReconciliationAddsAndNeverTakesAway) {
  Value wanted = Value::object();
  for (BootstrapObject& object : bootstrap_policy()) {
    if (object.document.at({"metadata", "name"}).as_string() == "system:kube-dns") {
      wanted = object.document;
      break;
    }
  }
  EXPECT_FALSE(reconciled(wanted, wanted).has_value());
  Value changed = wanted;
  Value own = write_rule({{"get"}, {""}, {"nodes"}, {}, {}});
  changed.set("rules", Value::array({own}));
  std::optional<Value> made = reconciled(changed, wanted);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->at("rules").items()[0], own);
  EXPECT_EQ(made->at("rules").size(), 3U);
  EXPECT_FALSE(reconciled(*made, wanted).has_value());
  // Who takes the mark away keeps what they wrote.
  changed.set({"metadata", "annotations", "rbac.authorization.kubernetes.io/autoupdate"}, "false");
  EXPECT_FALSE(reconciled(changed, wanted).has_value());
}

}  // namespace
}  // namespace stead::apiserver
