// Server-side apply's documented rules (kubernetes.io "Server-Side Apply"; KEP-555), as tables.

#include "object/apply/managed_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/apply/merge.h"
#include "object/apply/test_message.h"
#include "object/codec.h"
#include "object/time.h"

namespace stead::object {
namespace {

using apply_test::message;

Value json(std::string_view text) {
  Result<Value> value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Value();
}

WallTime at(int seconds) { return *parse_time("2026-01-01T00:00:00Z") + std::chrono::seconds(seconds); }

ManagedVersion one_version(std::string_view name) {
  return name == "v1" ? ManagedVersion{&message(), nullptr} : ManagedVersion{};
}

// An object and its owners under a sequence of writes.
struct Owned {
  Value document;
  ManagedFields managed;
  int now = 0;

  Result<bool> apply(const std::string& manager, std::string_view configuration, bool force = false) {
    Value config = json(configuration);
    auto violations = check_configuration(config, message());
    EXPECT_TRUE(violations.empty()) << violations[0];
    auto applied = managed.apply({manager, true, "v1", {}}, document, config, force, {}, one_version, at(++now));
    if (!applied.ok()) return applied.error();
    bool changed = applied->changed;
    document = std::move(applied->document);
    return changed;
  }
  void update(const std::string& manager, std::string_view to) {
    Value next = json(to);
    managed.update({manager, false, "v1", {}}, document, next, one_version, at(++now));
    document = std::move(next);
  }
  // The fields of one manager.
  Value fields(std::string_view manager) const {
    const Value entries = managed.encode();
    for (const Value& entry : entries.items()) {
      if (entry.at("manager").as_string() == manager) return entry.at("fieldsV1");
    }
    return {};
  }
};

TEST(ManagedFields, AnApplierOwnsWhatItsConfigurationSays) {
  Owned object;
  ASSERT_TRUE(object
                  .apply("a", R"({"apiVersion":"v1","kind":"Test","metadata":{"name":"x"},
      "replicas":3,"labels":{"app":"web"},"ports":[{"port":80,"name":"http"}],"tags":["x"],"tuple":{"a":1}})")
                  .ok());
  EXPECT_EQ(object.fields("a"), json(R"({"f:replicas":{},"f:labels":{"f:app":{}},
      "f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:name":{}}},
      "f:tags":{"v:\"x\"":{}},"f:tuple":{}})"));
}

TEST(ManagedFields, ACreatorOwnsContainersThatItMadeToo) {
  Owned object;
  object.update("kubectl", R"({"apiVersion":"v1","kind":"Test","metadata":{"name":"x","uid":"u","labels":{"l":"1"}},
      "nested":{"inner":{"text":"t"}},"labels":{"app":"web"},"ports":[{"port":80,"protocol":"TCP"}]})");
  EXPECT_EQ(object.fields("kubectl"), json(R"({"f:metadata":{"f:labels":{".":{},"f:l":{}}},
      "f:nested":{"f:inner":{".":{},"f:text":{}}},"f:labels":{".":{},"f:app":{}},
      "f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:protocol":{}}}})"));
}

TEST(ManagedFields, AnUpdateTakesWhatItChangesAndOnlyThat) {
  Owned object;
  object.update("one", R"({"replicas":1,"labels":{"a":"1","b":"1"}})");
  object.update("two", R"({"replicas":2,"labels":{"a":"1","b":"1"}})");
  EXPECT_EQ(object.fields("one"), json(R"({"f:labels":{".":{},"f:a":{},"f:b":{}}})"));
  EXPECT_EQ(object.fields("two"), json(R"({"f:replicas":{}})"));
  object.update("two", R"({"replicas":2,"labels":{"a":"1"}})");
  EXPECT_EQ(object.fields("one"), json(R"({"f:labels":{".":{},"f:a":{}}})"));
}

TEST(ManagedFields, AnotherApplierConflictsOnlyWhereValuesDiffer) {
  Owned object;
  ASSERT_TRUE(object.apply("a", R"({"replicas":3,"labels":{"app":"web"}})").ok());
  // Shared ownership.
  ASSERT_TRUE(object.apply("b", R"({"replicas":3})").ok());
  EXPECT_EQ(object.fields("b"), json(R"({"f:replicas":{}})"));
  auto refused = object.apply("c", R"({"replicas":5})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kConflict);
  EXPECT_EQ(refused.error().message,
            "Apply failed with 2 conflicts: conflicts with \"a\":\n- .replicas\nconflicts with \"b\":\n- .replicas");
  ASSERT_EQ(refused.error().causes.size(), 2u);
  EXPECT_EQ(refused.error().causes[0].reason, "FieldManagerConflict");
  EXPECT_EQ(refused.error().causes[0].field, ".replicas");
  EXPECT_EQ(refused.error().causes[0].message, "conflict with \"a\"");
}

TEST(ManagedFields, OneConflictWithAnUpdaterNamesItsVersion) {
  Owned object;
  object.update("kubectl-client-side-apply", R"({"ports":[{"port":80,"protocol":"TCP","name":"a"}]})");
  auto refused = object.apply("a", R"({"ports":[{"port":80,"name":"b"}]})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message,
            "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using v1: "
            ".ports[port=80,protocol=\"TCP\"].name");
}

TEST(ManagedFields, ForceTakesOwnership) {
  Owned object;
  ASSERT_TRUE(object.apply("a", R"({"replicas":3,"labels":{"app":"web"}})").ok());
  ASSERT_TRUE(object.apply("b", R"({"replicas":5})", true).ok());
  EXPECT_EQ(object.document.at("replicas").as_int(), 5);
  EXPECT_EQ(object.fields("a"), json(R"({"f:labels":{"f:app":{}}})"));
  EXPECT_EQ(object.fields("b"), json(R"({"f:replicas":{}})"));
}

TEST(ManagedFields, WhatAnApplierNoLongerSendsGoesUnlessOthersOwnIt) {
  Owned object;
  ASSERT_TRUE(object
                  .apply("a", R"({"replicas":3,"labels":{"app":"web","tier":"1"},"tags":["x","y"],
      "ports":[{"port":80},{"port":81}],"nested":{"inner":{"text":"t"}}})")
                  .ok());
  ASSERT_TRUE(object.apply("b", R"({"labels":{"tier":"1"},"ports":[{"port":81,"name":"mine"}],"tags":["y"]})").ok());
  ASSERT_TRUE(object.apply("a", R"({"labels":{"app":"web"}})").ok());
  EXPECT_EQ(object.document, json(R"({"labels":{"app":"web","tier":"1"},"tags":["y"],"metadata":{},"nested":{},
      "ports":[{"port":81,"name":"mine"}]})"));
  EXPECT_EQ(object.fields("a"), json(R"({"f:labels":{"f:app":{}}})"));
}

TEST(ManagedFields, GivingUpAFieldLeavesItToItsOtherOwner) {
  Owned object;
  ASSERT_TRUE(object.apply("a", R"({"replicas":3})").ok());
  object.update("hpa", R"({"replicas":7})");
  EXPECT_TRUE(object.fields("a").is_null());
  // Not sent any more, and not taken away.
  ASSERT_TRUE(object.apply("a", R"({"labels":{"x":"1"}})").ok());
  EXPECT_EQ(object.document.at("replicas").as_int(), 7);
}

TEST(ManagedFields, AnUnchangedApplyChangesNothing) {
  Owned object;
  EXPECT_TRUE(*object.apply("a", R"({"replicas":3,"labels":{"app":"web"}})"));
  Value before = object.managed.encode();
  EXPECT_FALSE(*object.apply("a", R"({"replicas":3,"labels":{"app":"web"}})"));
  EXPECT_EQ(object.managed.encode(), before);
}

TEST(ManagedFields, AnApplyOfNothingChangesNothing) {
  Owned object;
  ASSERT_TRUE(object.apply("a", R"({"flag":true})").ok());
  EXPECT_TRUE(*object.apply("a", "{}"));
  EXPECT_FALSE(*object.apply("a", "{}"));
}

TEST(ManagedFields, AZeroThatMeansAbsentIsNoChange) {
  Owned object;
  EXPECT_TRUE(*object.apply("a", R"({"replicas":3,"flag":false})"));
  EXPECT_FALSE(*object.apply("a", R"({"replicas":3,"flag":false})"));
  EXPECT_TRUE(object.apply("b", R"({"flag":false})").ok());
}

TEST(ManagedFields, ManyUpdatersAreBounded) {
  Owned object;
  for (int i = 0; i < 30; ++i) {
    std::string text = R"({"labels":{)";
    for (int j = 0; j <= i; ++j) text += (j > 0 ? "," : "") + ("\"k" + std::to_string(j)) + "\":\"1\"";
    object.update("manager-" + std::to_string(i), text + "}}");
  }
  const Value entries = object.managed.encode();
  EXPECT_EQ(entries.size(), 11u);
  EXPECT_NE(object.fields("ancient-changes").at("f:labels").find("f:k0"), nullptr);
  EXPECT_NE(object.fields("manager-29").at("f:labels").find("f:k29"), nullptr);
}

TEST(ManagedFields, EntriesOfAVersionNoLongerServedAreDropped) {
  Owned object;
  object.document = json(R"({"replicas":1})");
  object.managed = *ManagedFields::decode(json(R"([{"manager":"old","operation":"Update","apiVersion":"v0",
      "fieldsType":"FieldsV1","fieldsV1":{"f:gone":{}}}])"));
  object.update("new", R"({"replicas":2})");
  EXPECT_TRUE(object.fields("old").is_null());
}

TEST(ManagedFields, AFieldMayHaveTheEmptyName) {
  Owned object;
  ASSERT_TRUE(object.apply("a", R"({"open":{"":1}})").ok());
  EXPECT_EQ(object.fields("a"), json(R"({"f:open":{"f:":{}}})"));
  EXPECT_TRUE(ManagedFields::decode(json(to_json(object.managed.encode()))).ok());
}

TEST(ManagedFields, EncodesAppliersFirstAndRoundTrips) {
  Owned object;
  object.update("u", R"({"replicas":1})");
  ASSERT_TRUE(object.apply("a", R"({"labels":{"x":"1"}})").ok());
  const Value entries = object.managed.encode();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries.items()[0], json(R"({"manager":"a","operation":"Apply","apiVersion":"v1",
      "time":"2026-01-01T00:00:02Z","fieldsType":"FieldsV1","fieldsV1":{"f:labels":{"f:x":{}}}})"));
  EXPECT_EQ(ManagedFields::decode(json(to_json(entries)))->encode(), entries);
  EXPECT_TRUE(ManagedFields::is_reset(json("[{}]")));
  EXPECT_TRUE(ManagedFields::is_reset(json("[]")));
  EXPECT_FALSE(ManagedFields::is_reset(entries));
  EXPECT_FALSE(ManagedFields::decode(json(R"([{"operation":"Eat"}])")).ok());
}

TEST(ManagedFields, EqualSetsShareTheirContent) {
  Owned one;
  Owned other;
  one.update("u", R"({"replicas":1,"labels":{"x":"1"}})");
  other.update("u", R"({"replicas":2,"labels":{"x":"2"}})");
  EXPECT_EQ(one.fields("u").shared_content(), other.fields("u").shared_content());
  Value document =
      Value::object({{"metadata", Value::object({{"managedFields", json(to_json(one.managed.encode()))}})}});
  share_managed_fields(document);
  EXPECT_EQ(document.at({"metadata", "managedFields"}).items()[0].at("fieldsV1").shared_content(),
            one.fields("u").shared_content());
}

struct MergeCase {
  const char* name;
  const char* live;
  const char* configuration;
  const char* merged;
};

class Merge : public testing::TestWithParam<MergeCase> {};

TEST_P(Merge, FollowsTheDeclaredTypes) {
  const MergeCase& each = GetParam();
  EXPECT_EQ(to_json(merge_configuration(json(each.live), json(each.configuration), message())), each.merged);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Merge,
    testing::Values(
        MergeCase{"scalar", R"({"replicas":1})", R"({"replicas":2})", R"({"replicas":2})"},
        MergeCase{"map", R"({"labels":{"a":"1"}})", R"({"labels":{"b":"2"}})", R"({"labels":{"a":"1","b":"2"}})"},
        MergeCase{"atomicMap", R"({"selector":{"a":"1"}})", R"({"selector":{"b":"2"}})", R"({"selector":{"b":"2"}})"},
        MergeCase{"atomicMessage", R"({"tuple":{"a":1,"b":2}})", R"({"tuple":{"b":3}})", R"({"tuple":{"b":3}})"},
        MergeCase{"atomicList", R"({"args":["x","y"]})", R"({"args":["z"]})", R"({"args":["z"]})"},
        MergeCase{"set", R"({"tags":["x","y"]})", R"({"tags":["z","x"]})", R"({"tags":["z","x","y"]})"},
        MergeCase{"keyed", R"({"ports":[{"port":80,"protocol":"TCP","name":"a"},{"port":81,"protocol":"TCP"}]})",
                  R"({"ports":[{"port":82},{"port":80,"name":"b"}]})",
                  R"({"ports":[{"port":82},{"port":80,"protocol":"TCP","name":"b"},{"port":81,"protocol":"TCP"}]})"},
        MergeCase{"keyDefault", R"({"ports":[{"port":80,"protocol":"UDP"}]})", R"({"ports":[{"port":80}]})",
                  R"({"ports":[{"port":80,"protocol":"UDP"},{"port":80}]})"},
        MergeCase{"null", R"({"replicas":1,"labels":{"a":"1"}})", R"({"replicas":null,"labels":{"a":null}})",
                  R"({"labels":{}})"},
        MergeCase{"emptyKeeps", R"({"labels":{"a":"1"},"tags":["x"]})", R"({"labels":{},"tags":[]})",
                  R"({"labels":{"a":"1"},"tags":["x"]})"},
        MergeCase{"openMembers", R"({"open":{"a":{"b":1,"l":[1]}}})", R"({"open":{"a":{"c":2,"l":[2]}}})",
                  R"({"open":{"a":{"b":1,"l":[2],"c":2}}})"}),
    [](const auto& each) { return each.param.name; });

struct BadCase {
  const char* configuration;
  const char* complaint;
};

class BadConfiguration : public testing::TestWithParam<BadCase> {};

TEST_P(BadConfiguration, IsNamed) {
  auto violations = check_configuration(json(GetParam().configuration), message());
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0], GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadConfiguration,
    testing::Values(BadCase{R"({"nonsense":1})", ".nonsense: field not declared in schema"},
                    BadCase{R"({"nested":{"inner":{"x":1}}})", ".nested.inner.x: field not declared in schema"},
                    BadCase{R"({"ports":[{"name":"a"}]})",
                            ".ports: element 0: associative list with keys has an element that omits key field "
                            "\"port\" (and doesn't have default value)"},
                    BadCase{R"({"ports":[{"port":80},{"port":80,"protocol":"TCP"}]})",
                            ".ports: duplicate entries for key [port=80,protocol=\"TCP\"]"},
                    BadCase{R"({"tags":["x","x"]})", ".tags: duplicate entries for key [=\"x\"]"}));

}  // namespace
}  // namespace stead::object
