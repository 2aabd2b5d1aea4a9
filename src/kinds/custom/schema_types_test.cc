#include "kinds/custom/schema_types.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::kinds {
namespace {

std::vector<std::string> problems(std::string_view schema) {
  object::FieldErrors errors;
  check_schema_types(*object::parse_json(schema), object::Path("s"), errors);
  std::vector<std::string> texts;
  for (const Cause& cause : errors.causes()) texts.push_back(cause.field + ": " + cause.message);
  return texts;
}

TEST(SchemaTypes, EachKeywordHasOne) {
  using testing::ElementsAre;
  EXPECT_THAT(problems(R"({"type":"object","anyOf":{"a":{}}})"),
              ElementsAre(R"(s.anyOf: Invalid value: {"a":{}}: must be a list of schemas)"));
  EXPECT_THAT(problems(R"({"properties":{"a":{"minimum":"1","items":{"maxLength":1.5}},"b":{"required":["x",1]}}})"),
              ElementsAre("s.properties[a].items.maxLength: Invalid value: 1.5: must be an integer",
                          R"(s.properties[a].minimum: Invalid value: "1": must be a number)",
                          R"(s.properties[b].required: Invalid value: ["x",1]: must be a list of strings)"));
  EXPECT_THAT(problems(R"({"properties":{"a":true},"not":[],"allOf":[{"nullable":1}]})"),
              ElementsAre("s.allOf[0].nullable: Invalid value: 1: must be a boolean",
                          "s.not: Invalid value: []: must be a schema",
                          R"(s.properties: Invalid value: {"a":true}: must be an object of schemas)"));
  EXPECT_THAT(problems(R"({"type":"object","additionalProperties":true,"default":1,"x-other":[],"title":null,
                           "items":[{"type":"string"}],"required":["a"],"enum":[1],"minimum":0.5})"),
              ElementsAre());
}

}  // namespace
}  // namespace stead::kinds
