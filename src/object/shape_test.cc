#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::object {
namespace {

using ::testing::ElementsAre;

const TypeRef kText{Type::kString};
const TypeRef kAmount{Type::kQuantity};

const Message& container() {
  static const Value kPolicy("IfNotPresent");
  static const Message made = [] {
    Message message{.name = "Container", .package = "io.k8s.api.core.v1"};
    message.fields = {
        {.name = "name", .type = {Type::kString}, .required = true, .omit_empty = false},
        {.name = "image", .type = {Type::kString}},
        {.name = "imagePullPolicy", .type = {Type::kString}, .default_value = &kPolicy},
        {.name = "limits", .type = {Type::kMap, nullptr, &kAmount}},
        {.name = "args", .type = {Type::kList, nullptr, &kText}},
        {.name = "stdin", .type = {Type::kBool}},
        {.name = "privileged", .type = {Type::kBool}, .pointer = true},
        {.name = "port", .type = {Type::kIntOrString}},
        {.name = "key", .type = {Type::kBytes}},
    };
    message.finish();
    return message;
  }();
  return made;
}

const Message& spec() {
  static const Value kOne(1);
  static const TypeRef kContainer{Type::kMessage, &container()};
  static const Message made = [] {
    Message message{.name = "ThingSpec", .package = "io.k8s.api.apps.v1"};
    message.fields = {
        {.name = "replicas", .type = {Type::kInt32}, .pointer = true, .default_value = &kOne},
        {.name = "containers", .type = {Type::kList, nullptr, &kContainer}},
        {.name = "byName", .type = {Type::kMap, nullptr, &kContainer}},
        {.name = "labels", .type = {Type::kMap, nullptr, &kText}},
        {.name = "started", .type = {Type::kTime}},
        {.name = "renewed", .type = {Type::kMicroTime}},
        {.name = "raw", .type = {Type::kRaw}},
        {.name = "size", .type = {Type::kInt64}},
    };
    message.finish();
    return message;
  }();
  return made;
}

const Message& thing() {
  static const Message kStatus = [] {
    Message message{.name = "ThingStatus", .package = "io.k8s.api.apps.v1"};
    message.fields = {{.name = "replicas", .type = {Type::kInt32}, .omit_empty = false}};
    message.finish();
    return message;
  }();
  static const Message made = [] {
    Message message{.name = "Thing", .package = "io.k8s.api.apps.v1"};
    message.fields = {{.name = "spec", .type = {Type::kMessage, &spec()}},
                      {.name = "status", .type = {Type::kMessage, &kStatus}}};
    message.finish();
    return message;
  }();
  return made;
}

Value parsed(std::string_view text) { return *parse_json(text); }

std::string shaped(std::string_view text, Extent extent = Extent::kWhole) {
  Value value = parsed(text);
  auto result = shape(value, thing(), nullptr, extent);
  return result.ok() ? to_json(value) : result.error().message;
}

TEST(Shape, DropsWhatMeansAbsent) {
  EXPECT_EQ(shaped(R"({"spec":{"replicas":0,"containers":[],"labels":{},"size":0,"started":null}})"),
            R"({"spec":{"replicas":0}})");
  EXPECT_EQ(shaped(R"({"spec":{"containers":[{"name":"","image":"","stdin":false,"privileged":false}]}})"),
            R"({"spec":{"containers":[{"privileged":false}]}})");
  EXPECT_EQ(shaped(R"({"spec":{"raw":{"a":null,"b":0}}})"), R"({"spec":{"raw":{"a":null,"b":0}}})");
}

TEST(Shape, NullItemsAreZeroes) {
  EXPECT_EQ(shaped(R"({"spec":{"containers":[null,{"args":[null,"a"]}],"labels":{"a":null}}})"),
            R"({"spec":{"containers":[{},{"args":["","a"]}],"labels":{"a":""}}})");
}

TEST(Shape, FillsFieldsThatAlwaysShow) {
  EXPECT_EQ(shaped(R"({"status":{}})"), R"({"status":{"replicas":0}})");
  EXPECT_EQ(shaped(R"({"status":{"replicas":0}})"), R"({"status":{"replicas":0}})");
  EXPECT_EQ(shaped(R"({})"), R"({})");
}

TEST(Shape, PartialDocumentsKeepTheirOpinions) {
  EXPECT_EQ(
      shaped(R"({"spec":{"size":0,"labels":{"a":null},"started":null,"containers":[]},"status":{}})", Extent::kPartial),
      R"({"spec":{"size":0,"labels":{"a":null},"started":null,"containers":[]},"status":{}})");
}

TEST(Shape, Canonicalises) {
  EXPECT_EQ(shaped(R"({"spec":{"started":"2026-01-01T01:00:00.5+01:00","renewed":"2026-01-01T00:00:00Z"}})"),
            R"({"spec":{"started":"2026-01-01T00:00:00Z","renewed":"2026-01-01T00:00:00.000000Z"}})");
  EXPECT_EQ(shaped(R"({"spec":{"containers":[{"limits":{"cpu":0.5,"memory":" 1024Mi ","n":1}}]}})"),
            R"({"spec":{"containers":[{"limits":{"cpu":"500m","memory":"1Gi","n":"1"}}]}})");
  EXPECT_EQ(shaped(R"({"spec":{"containers":[{"port":"http","key":"YQ=\n="},{"port":80}]}})"),
            R"({"spec":{"containers":[{"port":"http","key":"YQ=="},{"port":80}]}})");
  EXPECT_EQ(shaped(R"({"spec":{"containers":[{"key":"YWH="},{"key":"YWJj"}]}})"),
            R"({"spec":{"containers":[{"key":"YWE="},{"key":"YWJj"}]}})");
  EXPECT_EQ(shaped(R"({"spec":{"started":"0001-01-01T00:00:00Z"}})"), R"({"spec":{}})");
}

TEST(Shape, ReportsUnknownFieldsWithTheirPath) {
  StrictErrors strict;
  Value value = parsed(
      R"({"x":1,"spec":{"foo":1,"containers":[{},{"bar":{}}],"byName":{"a.b":{"c":1}},"labels":{"any":"x"},"raw":{"y":1}}})");
  ASSERT_TRUE(shape(value, thing(), &strict).ok());
  EXPECT_THAT(strict, ElementsAre("unknown field \"x\"", "unknown field \"spec.foo\"",
                                  "unknown field \"spec.containers[1].bar\"", "unknown field \"spec.byName.a.b.c\""));
  EXPECT_EQ(to_json(value),
            R"({"spec":{"containers":[{},{}],"byName":{"a.b":{}},"labels":{"any":"x"},"raw":{"y":1}}})");
}

TEST(Shape, TypeErrorsReadAsThoseOfGo) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"([])", "json: cannot unmarshal array into Go value of type v1.Thing"},
      {R"({"spec":{"replicas":"three"}})",
       "json: cannot unmarshal string into Go struct field ThingSpec.spec.replicas of type int32"},
      {R"({"spec":{"replicas":3000000000}})",
       "json: cannot unmarshal number 3000000000 into Go struct field ThingSpec.spec.replicas of type int32"},
      {R"({"spec":{"replicas":1.5}})",
       "json: cannot unmarshal number 1.5 into Go struct field ThingSpec.spec.replicas of type int32"},
      {R"({"spec":{"containers":[{},{"image":true}]}})",
       "json: cannot unmarshal bool into Go struct field Container.spec.containers.image of type string"},
      {R"({"spec":{"containers":{}}})",
       "json: cannot unmarshal object into Go struct field ThingSpec.spec.containers of type []v1.Container"},
      {R"({"spec":{"labels":{"a":1}}})",
       "json: cannot unmarshal number into Go struct field ThingSpec.spec.labels of type string"},
      {R"({"spec":3})", "json: cannot unmarshal number into Go struct field Thing.spec of type v1.ThingSpec"},
      {R"({"spec":{"containers":[{"limits":{"cpu":"x"}}]}})",
       "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
      {R"({"spec":{"containers":[{"port":true}]}})", "json: cannot unmarshal bool into Go value of type int32"},
      {R"({"spec":{"containers":[{"key":"a!"}]}})", "illegal base64 data at input byte 1"},
      {R"({"spec":{"started":"now"}})",
       "parsing time \"now\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"now\" as \"2006\""},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(shaped(text), expected) << text;
}

TEST(Defaults, FillPresentParentsOnly) {
  auto defaulted = [](std::string_view text) {
    Value value = parsed(text);
    apply_defaults(value, thing());
    return to_json(value);
  };
  EXPECT_EQ(defaulted("{}"), "{}");
  EXPECT_EQ(defaulted(R"({"spec":{}})"), R"({"spec":{"replicas":1}})");
  EXPECT_EQ(defaulted(R"({"spec":{"replicas":0}})"), R"({"spec":{"replicas":0}})");
  EXPECT_EQ(
      defaulted(R"({"spec":{"replicas":null,"containers":[{}],"byName":{"a":{"imagePullPolicy":"Never"},"b":{}}}})"),
      R"({"spec":{"containers":[{"imagePullPolicy":"IfNotPresent"}],)"
      R"("byName":{"a":{"imagePullPolicy":"Never"},"b":{"imagePullPolicy":"IfNotPresent"}},"replicas":1}})");
}

}  // namespace
}  // namespace stead::object
