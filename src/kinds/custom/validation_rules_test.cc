#include "kinds/custom/validation_rules.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::kinds {
namespace {

using object::FieldErrors;
using object::Path;
using object::Value;

// A schema whose root has one property `spec` of the given schema.
Value schema_of(const std::string& spec, const std::string& rules = "") {
  return *object::parse_json(R"({"type":"object")" +
                             (rules.empty() ? "" : R"(,"x-kubernetes-validations":[)" + rules + "]") +
                             R"(,"properties":{"spec":)" + spec + "}}");
}

std::string joined(const FieldErrors& errors) {
  std::string text;
  for (const Cause& cause : errors.causes()) text += (text.empty() ? "" : "; ") + cause.field + ": " + cause.message;
  return text;
}

std::string compile_errors(const Value& schema) {
  FieldErrors errors;
  ValidationRules::compile(schema, Path("schema"), errors);
  return joined(errors);
}

// What `spec` breaks; `old` is empty for a new object.
std::string broken(const Value& schema, const std::string& spec, const std::string& old = "",
                   std::vector<std::string>* warnings = nullptr) {
  FieldErrors errors;
  auto rules = ValidationRules::compile(schema, Path("schema"), errors);
  EXPECT_TRUE(errors.empty()) << joined(errors);
  if (!rules) return "no rules";
  auto document = [](const std::string& text) {
    return *object::parse_json(R"({"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"one"},"spec":)" +
                               text + "}");
  };
  const Value now = document(spec);
  if (old.empty()) {
    rules->validate(now, nullptr, errors, warnings);
  } else {
    const Value before = document(old);
    rules->validate(now, &before, errors, warnings);
  }
  return joined(errors);
}

TEST(ValidationRules, SchemasWithoutRulesHaveNone) {
  EXPECT_EQ(broken(schema_of(R"({"type":"object"})"), "{}"), "no rules");
}

TEST(ValidationRules, HoldAtEveryLevel) {
  struct Case {
    std::string schema;
    std::string spec;
    std::string said;
  };
  const std::string item_rule = R"("x-kubernetes-validations":[{"rule":"self.n < 3","message":"small"}])";
  const std::string item = R"({"type":"object","properties":{"n":{"type":"integer"}},)" + item_rule + "}";
  const std::vector<Case> cases = {
      {R"({"type":"integer","x-kubernetes-validations":[{"rule":"self > 1"}]})", "2", ""},
      {R"({"type":"integer","x-kubernetes-validations":[{"rule":"self > 1"}]})", "1",
       "spec: Invalid value: \"integer\": failed rule: self > 1"},
      {item, R"({"n":3})", "spec: Invalid value: \"object\": small"},
      {R"({"type":"array","maxItems":9,"items":)" + item + "}", R"([{"n":1},{"n":3}])",
       "spec[1]: Invalid value: \"object\": small"},
      {R"({"type":"object","maxProperties":9,"additionalProperties":)" + item + "}", R"({"a":{"n":1},"b":{"n":3}})",
       "spec[b]: Invalid value: \"object\": small"},
      {R"({"type":"object","properties":{"inner":)" + item + "}}", R"({"inner":{"n":5}})",
       "spec.inner: Invalid value: \"object\": small"},
      {R"({"type":"object","properties":{"inner":)" + item + "}}", "{}", ""},
      {R"({"type":"object","properties":{"n":{"type":"integer"}},"allOf":[{)" + item_rule + "}]}", R"({"n":5})",
       "spec: Invalid value: \"object\": small"},
      {item, "{}", "spec: Invalid value: \"object\": no such key: n evaluating rule: small"}};
  for (const Case& one : cases) EXPECT_EQ(broken(schema_of(one.schema), one.spec), one.said) << one.schema;
}

TEST(ValidationRules, TheRootHasNoPath) {
  const Value schema = schema_of(R"({"type":"integer"})", R"({"rule":"self.metadata.name == 'two'"})");
  EXPECT_EQ(broken(schema, "1"), "<nil>: Invalid value: \"object\": failed rule: self.metadata.name == 'two'");
}

TEST(ValidationRules, MessagesReasonsAndPaths) {
  struct Case {
    std::string rule;
    std::string said;
  };
  const std::vector<Case> cases = {
      {R"({"rule":"false","message":"no","messageExpression":"'no to ' + (self.n == 1 ? 'one' : 'all') "})",
       "spec: Invalid value: \"object\": no to one"},
      {R"({"rule":"false","message":"no","messageExpression":"self.m == 1 ? 'a' : 'b'"})",
       "spec: Invalid value: \"object\": no"},
      {R"({"rule":"false","reason":"FieldValueForbidden","fieldPath":".n"})", "spec.n: Forbidden: failed rule: false"},
      {R"({"rule":"false","reason":"FieldValueRequired","fieldPath":".m"})",
       "spec.m: Required value: failed rule: false"},
      {R"({"rule":"false","reason":"FieldValueDuplicate"})", "spec: Duplicate value: \"object\""}};
  for (const Case& one : cases) {
    const Value schema = schema_of(
        R"({"type":"object","properties":{"n":{"type":"integer"},"m":{"type":"integer"}},"x-kubernetes-validations":[)" +
        one.rule + "]}");
    EXPECT_EQ(broken(schema, R"({"n":1})"), one.said) << one.rule;
  }
}

TEST(ValidationRules, RulesOnChanges) {
  const Value fixed = schema_of(R"({"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf"}]})");
  EXPECT_EQ(broken(fixed, R"("a")"), "");
  EXPECT_EQ(broken(fixed, R"("a")", R"("a")"), "");
  EXPECT_EQ(broken(fixed, R"("b")", R"("a")"), "spec: Invalid value: \"string\": failed rule: self == oldSelf");
  EXPECT_EQ(broken(fixed, R"("b")", "null"), "");
  const Value optional = schema_of(
      R"({"type":"string","x-kubernetes-validations":[{"rule":"oldSelf.hasValue() || self == 'first'","optionalOldSelf":true}]})");
  EXPECT_EQ(broken(optional, R"("first")"), "");
  EXPECT_NE(broken(optional, R"("other")"), "");
  EXPECT_EQ(broken(optional, R"("other")", R"("first")"), "");
  const Value keyed = schema_of(
      R"({"type":"array","maxItems":9,"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":)"
      R"({"type":"object","properties":{"k":{"type":"string"},"v":{"type":"integer","x-kubernetes-validations":)"
      R"([{"rule":"self >= oldSelf"}]}}}})");
  EXPECT_EQ(broken(keyed, R"([{"k":"b","v":1},{"k":"a","v":2}])", R"([{"k":"a","v":2}])"), "");
  EXPECT_EQ(broken(keyed, R"([{"k":"b","v":1},{"k":"a","v":1}])", R"([{"k":"a","v":2}])"),
            "spec[1].v: Invalid value: \"integer\": failed rule: self >= oldSelf");
}

TEST(ValidationRules, WhatDidNotChangeIsOnlyWarnedOf) {
  const Value schema = schema_of(
      R"({"type":"object","properties":{"a":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1"}]},)"
      R"("b":{"type":"integer"}}})");
  std::vector<std::string> warnings;
  EXPECT_EQ(broken(schema, R"({"a":1,"b":2})", R"({"a":1,"b":1})", &warnings), "");
  EXPECT_EQ(warnings, std::vector<std::string>{"spec.a: Invalid value: \"integer\": failed rule: self > 1"});
  EXPECT_NE(broken(schema, R"({"a":0,"b":1})", R"({"a":1,"b":1})"), "");
  // Items of an atomic list are not known again, unless all of the list is as it was.
  const Value list = schema_of(
      R"({"type":"array","maxItems":9,"items":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 1"}]}})");
  EXPECT_EQ(broken(list, "[1]", "[1]"), "");
  EXPECT_NE(broken(list, "[1,2]", "[1]"), "");
}

TEST(ValidationRules, WhatIsWrongWithThemIsNamed) {
  struct Case {
    std::string rule;
    std::string said;
  };
  const std::string at = "schema.properties[spec].x-kubernetes-validations[0].";
  const std::vector<Case> cases = {
      {R"({"rule":" "})", at + "rule: Required value: rule is not specified"},
      {R"({"rule":"self.gone == 1"})", "undefined field 'gone'"},
      {R"({"rule":"self.n"})", "cel expression must evaluate to a bool"},
      {R"({"rule":"true","messageExpression":"1"})", at + "messageExpression: Invalid value: "},
      {R"({"rule":"true","message":"a\nb"})", "message must not contain line breaks"},
      {R"({"rule":"true ||\nfalse"})", "message must be specified if rule contains line breaks"},
      {R"({"rule":"true","reason":"Because"})", at + "reason: Unsupported value: \"Because\""},
      {R"({"rule":"true","fieldPath":".gone"})",
       at + "fieldPath: Invalid value: \".gone\": fieldPath must be a valid path"},
      {R"({"rule":"true","optionalOldSelf":true})", "may not be set if oldSelf is not used in rule"}};
  for (const Case& one : cases) {
    const std::string said = compile_errors(schema_of(
        R"({"type":"object","properties":{"n":{"type":"integer"}},"x-kubernetes-validations":[)" + one.rule + "]}"));
    EXPECT_NE(said.find(one.said), std::string::npos) << one.rule << " got " << said;
  }
  EXPECT_NE(
      compile_errors(schema_of(R"({"type":"array","items":{"type":"integer","x-kubernetes-validations":)"
                               R"([{"rule":"self == oldSelf"}]}})"))
          .find("oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[spec]"),
      std::string::npos);
}

TEST(ValidationRules, WhatCouldCostTooMuchIsRefused) {
  const std::string strings =
      R"({"type":"array","items":{"type":"array","items":{"type":"string"}},"x-kubernetes-validations":)"
      R"([{"rule":"self.all(a, a.all(x, a.all(y, x == y))) "}]})";
  const std::string said = compile_errors(schema_of(strings));
  EXPECT_NE(said.find("Forbidden: estimated rule cost exceeds budget by factor of more than 100x"), std::string::npos)
      << said;
  EXPECT_EQ(compile_errors(schema_of(R"({"type":"array","maxItems":10,"items":{"type":"string","maxLength":20},)"
                                     R"("x-kubernetes-validations":[{"rule":"self.all(x, self.all(y, x == y)) "}]})")),
            "");
}

TEST(RuleFieldPath, FollowsTheSchema) {
  const Value schema = *object::parse_json(
      R"({"type":"object","properties":{"a":{"type":"object","properties":{"b.c":{"type":"object","additionalProperties":)"
      R"({"type":"string"}}}}}})");
  EXPECT_EQ(rule_field_path(".a", schema), "a");
  EXPECT_EQ(rule_field_path(".a['b.c']", schema), "a.b.c");
  EXPECT_EQ(rule_field_path(".a['b.c'].x", schema), "a.b.c[x]");
  for (std::string_view bad : {"a", ".b", ".a.", ".a['b.c'", ".a[0]"}) {
    EXPECT_FALSE(rule_field_path(bad, schema)) << bad;
  }
}

}  // namespace
}  // namespace stead::kinds
