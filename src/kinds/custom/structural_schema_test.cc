// Which schemas of CustomResourceDefinitions are refused, and with what words.

#include "kinds/custom/structural_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/custom/version_rules.h"
#include "object/codec.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const FieldErrors& errors) {
  std::vector<std::string> all;
  for (const Cause& cause : errors.causes()) all.push_back(cause.field + ": " + cause.message);
  return all;
}

// Of an object with the field `a`.
std::vector<std::string> problems(const std::string& schema_of_a) {
  FieldErrors errors;
  const Path path("schema");
  check_structural(*object::parse_json(R"({"type":"object","properties":{"a":)" + schema_of_a + "}}"), path, errors);
  return texts(errors);
}

TEST(StructuralSchema, TakesWhatIsOne) {
  for (
      const char* schema : {
          R"({"type":"string","anyOf":[{"minLength":1},{"pattern":"x"}]})",
          R"({"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]})",
          R"({"x-kubernetes-int-or-string":true,"allOf":[{"anyOf":[{"type":"integer"},{"type":"string"}]},{"pattern":"x"}]})",
          R"({"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true})",
          R"({"type":"object","properties":{"b":{"type":"string"}},"oneOf":[{"required":["b"]},{"not":{"required":["b"]}}]})",
          R"({"type":"array","x-kubernetes-list-type":"set","items":{"type":"object","x-kubernetes-map-type":"atomic"}})",
          R"({"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k","d"],"items":{"type":"object",
               "required":["k"],"properties":{"k":{"type":"string"},"d":{"type":"string","default":"x"}}}})",
          R"({"type":"object","additionalProperties":{"type":"string"}})",
      }) {
    EXPECT_THAT(problems(schema), IsEmpty()) << schema;
  }
}

TEST(StructuralSchema, RefusesWhatIsNone) {
  const struct {
    const char* schema;
    const char* said;
  } kCases[] = {
      {R"({"type":"string","anyOf":[{"type":"string"}]})", "anyOf[0].type: Forbidden: must be empty to be structural"},
      {R"({"type":"string","not":{"title":"x"}})", "not.title: Forbidden: must be empty to be structural"},
      {R"({"type":"object","anyOf":[{"properties":{"b":{"minLength":1}}}]})",
       "properties[b]: Required value: because it is defined in schema.properties[a].anyOf[0].properties[b]"},
      {R"({"type":"object","allOf":[{"items":{"minLength":1}}]})",
       "items: Required value: because it is defined in schema.properties[a].allOf[0].items"},
      {R"({"x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true})",
       "type: Required value: must be object if x-kubernetes-embedded-resource is true"},
      {R"({"type":"object","x-kubernetes-embedded-resource":true})",
       "properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without "
       "x-kubernetes-preserve-unknown-fields"},
      {R"({"x-kubernetes-int-or-string":true,"x-kubernetes-preserve-unknown-fields":true})",
       "x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is "
       "true"},
      {R"({"type":"object","x-kubernetes-preserve-unknown-fields":false})",
       "x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined"},
      {R"({"type":"array","items":{}})", "items.type: Required value: must not be empty for specified array items"},
      {R"({})", "type: Required value: must not be empty for specified object fields"},
      {R"({"type":"object","patternProperties":{"x":{"type":"string"}}})",
       "patternProperties: Forbidden: patternProperties is not supported"},
      {R"({"type":"object","x-kubernetes-list-type":"set"})",
       "type: Invalid value: \"object\": must be array if x-kubernetes-list-type is specified"},
      {R"({"type":"object","x-kubernetes-map-type":"odd"})",
       "x-kubernetes-map-type: Unsupported value: \"odd\": supported values: \"atomic\", \"granular\""},
      {R"({"type":"array","x-kubernetes-list-map-keys":["k"],"items":{"type":"string"}})",
       "x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty"},
      {R"({"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object",
          "properties":{"k":{"type":"string"}}}})",
       "items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a "
       "default or be a required property"},
      {R"({"type":"array","x-kubernetes-list-type":"set","items":{"type":"object"}})",
       "items.x-kubernetes-map-type: Required value: must be atomic as item of a list with x-kubernetes-list-type=set"},
  };
  for (const auto& [schema, said] : kCases) {
    EXPECT_THAT(problems(schema), ElementsAre("schema.properties[a]." + std::string(said))) << schema;
  }
}

TEST(StructuralSchema, TheRootIsAnObjectWithMetadataOfItsOwn) {
  auto of_root = [](const char* schema) {
    FieldErrors errors;
    const Path path("schema");
    check_structural(*object::parse_json(schema), path, errors);
    return texts(errors);
  };
  EXPECT_THAT(
      of_root(
          R"({"type":"object","properties":{"metadata":{"type":"object","properties":{"name":{"type":"string"}}}}})"),
      IsEmpty());
  EXPECT_THAT(of_root(R"({"type":"object","properties":{"metadata":{"type":"object","properties":{"labels":{}}}}})"),
              ElementsAre("schema.properties[metadata]: Forbidden: must not specify anything other than name and "
                          "generateName, but metadata is implicitly specified"));
  EXPECT_THAT(of_root(R"({"type":"object","properties":{"kind":{"type":"integer"}}})"),
              ElementsAre("schema.properties[kind].type: Invalid value: \"integer\": must be string"));
  EXPECT_THAT(of_root(R"({"x-kubernetes-preserve-unknown-fields":true})"),
              ElementsAre("schema.type: Required value: must not be empty at the root"));
}

TEST(VersionRules, PathsOfScaleAndSelectableFields) {
  auto of_version = [](const std::string& more) {
    FieldErrors errors;
    const Path path("v");
    check_version_extras(
        *object::parse_json(R"({"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",)"
                            R"("properties":{"s":{"type":"string"}}}}}},)" +
                            more + "}"),
        path, errors);
    return texts(errors);
  };
  EXPECT_THAT(of_version(R"("selectableFields":[{"jsonPath":".spec.s"}],"subresources":{"scale":{"specReplicasPath":)"
                         R"(".spec.r","statusReplicasPath":".status.r"}})"),
              IsEmpty());
  EXPECT_THAT(
      of_version(R"("subresources":{"scale":{"specReplicasPath":".r","labelSelectorPath":"x"}})"),
      ElementsAre("v.subresources.scale.specReplicasPath: Invalid value: \".r\": should be a json path under .spec",
                  "v.subresources.scale.statusReplicasPath: Required value",
                  "v.subresources.scale.labelSelectorPath: Invalid value: \"x\": must be a simple json path "
                  "starting with ."));
  EXPECT_THAT(
      of_version(R"("selectableFields":[{"jsonPath":".spec.s"},{"jsonPath":".spec.s"},{"jsonPath":".spec"},)"
                 R"({"jsonPath":".spec.none"},{"jsonPath":".metadata.name"}])"),
      ElementsAre(
          "v.selectableFields[1].jsonPath: Duplicate value: \".spec.s\"",
          "v.selectableFields[2].jsonPath: Invalid value: \".spec\": must point to a field of type string, "
          "boolean or integer. Enum string fields and strings with formats are allowed.",
          "v.selectableFields[3].jsonPath: Invalid value: \".spec.none\": is an invalid path: does not refer to "
          "a valid field",
          "v.selectableFields[4].jsonPath: Invalid value: \".metadata.name\": must not point to fields in "
          "metadata"));
  EXPECT_THAT(of_version(R"("deprecationWarning":"old")"),
              ElementsAre("v.deprecationWarning: Invalid value: \"old\": can only be set for deprecated versions"));
}

}  // namespace
}  // namespace stead::kinds
