#include "kinds/admissionregistration/policy_rules.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kPolicy = R"({"metadata":{"name":"p"},"spec":{"failurePolicy":"Fail","matchConstraints":{
  "matchPolicy":"Equivalent","namespaceSelector":{},"objectSelector":{},"resourceRules":[{"apiGroups":["apps"],
  "apiVersions":["v1"],"resources":["deployments"],"operations":["CREATE"],"scope":"*"}]},
  "validations":[{"expression":"object.spec.replicas > 1"}]}})";
constexpr std::string_view kBinding =
    R"({"metadata":{"name":"b"},"spec":{"policyName":"p","validationActions":["Deny"]}})";

// `path` set to `json` (nothing: taken away), and then validated.
std::string problems(const KindRules& rules, std::string_view document, std::string_view path, std::string_view json) {
  Value changed = *object::parse_json(document);
  Value* at = &changed;
  for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    at = &(*at)[path.substr(0, dot)];
    path.remove_prefix(dot + 1);
  }
  if (json.empty()) {
    at->erase(path);
  } else {
    at->set(path, *object::parse_json(json));
  }
  FieldErrors errors;
  rules.rules.validate(changed, errors);
  std::string text;
  for (const Cause& cause : errors.causes()) text += cause.field + ": " + cause.message + "\n";
  return text;
}

TEST(ValidatingAdmissionPolicy, WhatIsWrongIsNamed) {
  struct Case {
    std::string_view path;
    std::string_view json;
    std::string_view said;
  };
  const KindRules rules = validating_admission_policy_rules();
  EXPECT_EQ(problems(rules, kPolicy, "metadata.labels", "{}"), "");
  const Case cases[] = {
      {"spec.failurePolicy", R"("Maybe")", "spec.failurePolicy: Unsupported value: \"Maybe\""},
      {"spec.matchConstraints", "", "spec.matchConstraints: Required value"},
      {"spec.matchConstraints.resourceRules", "[]", "spec.matchConstraints.resourceRules: Required value"},
      {"spec.matchConstraints.matchPolicy", R"("Odd")", "spec.matchConstraints.matchPolicy: Unsupported value"},
      {"spec.paramKind", R"({"apiVersion":"a/b/c","kind":"X"})",
       "spec.paramKind.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c"},
      {"spec.paramKind", R"({"apiVersion":"v1"})", "spec.paramKind.kind: Required value"},
      {"spec.validations", "[]",
       "spec.validations: Required value: validations or auditAnnotations must contain at least one item"},
      {"spec.validations", R"([{"expression":" "}])",
       "spec.validations[0].expression: Required value: expression is not specified"},
      {"spec.validations", R"([{"expression":"1 + 1"}])",
       "spec.validations[0].expression: Invalid value: \"1 + 1\": must evaluate to bool but got int"},
      {"spec.validations", R"([{"expression":"object.x in"}])",
       "spec.validations[0].expression: Invalid value: \"object.x in\": compilation failed: ERROR: <input>:1:12: "
       "Syntax error"},
      {"spec.validations", R"([{"expression":"params.x == 1"}])", "undeclared reference to 'params'"},
      {"spec.validations", R"([{"expression":"true","reason":"Because"}])",
       "spec.validations[0].reason: Unsupported value: \"Because\""},
      {"spec.validations", R"([{"expression":"true","message":"a\nb"}])",
       "spec.validations[0].message: Invalid value: \"a\\nb\": message must not contain line breaks"},
      {"spec.validations", R"([{"expression":"true","messageExpression":"1"}])",
       "spec.validations[0].messageExpression: Invalid value: \"1\": must evaluate to string but got int"},
      {"spec.variables", R"([{"name":"a-b","expression":"1"}])",
       "spec.variables[0].name: Invalid value: \"a-b\": name is not a valid CEL identifier"},
      {"spec.variables", R"([{"name":"a","expression":"variables.b"},{"name":"b","expression":"1"}])",
       "spec.variables[0].expression: Invalid value"},
      {"spec.matchConditions", R"([{"name":"a","expression":"'x'"}])",
       "spec.matchConditions[0].expression: Invalid value: \"'x'\": must evaluate to bool but got string"},
      {"spec.matchConditions", R"([{"name":"","expression":"true"}])", "spec.matchConditions[0].name: Required value"},
      {"spec.auditAnnotations", R"([{"key":"k","valueExpression":"1"}])",
       "spec.auditAnnotations[0].valueExpression: Invalid value: \"1\": must evaluate to one of [string null_type] but "
       "got "
       "int"},
      {"spec.auditAnnotations", R"([{"key":"k","valueExpression":"'a'"},{"key":"k","valueExpression":"'a'"}])",
       "spec.auditAnnotations[1].key: Duplicate value: \"k\""}};
  for (const Case& one : cases) {
    const std::string told = problems(rules, kPolicy, one.path, one.json);
    EXPECT_NE(told.find(one.said), std::string::npos) << one.json << " got " << told;
  }
}

TEST(ValidatingAdmissionPolicyBinding, WhatIsWrongIsNamed) {
  struct Case {
    std::string_view path;
    std::string_view json;
    std::string_view said;
  };
  const KindRules rules = validating_admission_policy_binding_rules();
  EXPECT_EQ(problems(rules, kBinding, "metadata.labels", "{}"), "");
  const Case cases[] = {
      {"spec.policyName", "", "spec.policyName: Required value"},
      {"spec.validationActions", "[]",
       "spec.validationActions: Required value: at least one validation action is required"},
      {"spec.validationActions", R"(["Deny","Warn"])", "must not contain both Deny and Warn"},
      {"spec.validationActions", R"(["Shout"])", "spec.validationActions[0]: Unsupported value: \"Shout\""},
      {"spec.validationActions", R"(["Deny","Deny"])", "spec.validationActions[1]: Duplicate value: \"Deny\""},
      {"spec.paramRef", R"({"parameterNotFoundAction":"Deny"})",
       "spec.paramRef: Required value: one of name or selector must be specified"},
      {"spec.paramRef", R"({"name":"x","selector":{},"parameterNotFoundAction":"Deny"})",
       "spec.paramRef.name: Forbidden: name and selector are mutually exclusive"},
      {"spec.paramRef", R"({"name":"x"})", "spec.paramRef.parameterNotFoundAction: Required value"},
      {"spec.matchResources",
       R"({"matchPolicy":"Exact","namespaceSelector":{},"objectSelector":{},"resourceRules":[{}]})",
       "spec.matchResources.resourceRules[0].operations: Required value"}};
  for (const Case& one : cases) {
    const std::string told = problems(rules, kBinding, one.path, one.json);
    EXPECT_NE(told.find(one.said), std::string::npos) << one.json << " got " << told;
  }
}

}  // namespace
}  // namespace stead::kinds
