#include "apiserver/policies/policy_admission.h"

#include <gtest/gtest.h>

#include "apiserver/api_server.h"
#include "loop/simulated_loop.h"
#include "object/codec.h"
#include "store/memory/memory_store.h"

namespace stead::apiserver {
namespace {

using client::Request;
using client::Response;
using client::Verb;
using object::Value;

constexpr std::string_view kGroup = "admissionregistration.k8s.io";

class PolicyAdmissionTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open_memory_store(api_loop_);
    cache_ = std::move(*cache::Cache::open(*store_, api_loop_));
    server_ = std::move(*ApiServer::make(*store_, *cache_, api_loop_, simulation_.random(), {}));
    transport_ = server_->transport({"tester", "", {"system:masters"}}, loop_);
    ASSERT_TRUE(create("", "namespaces", "", R"({"metadata":{"name":"default","labels":{"team":"a"}}})").ok());
  }

  Result<Response> call(Request request) {
    std::optional<Result<Response>> answer;
    transport_->call(std::move(request), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
    return answer ? std::move(*answer) : make_error(Reason::kTimeout, "no answer");
  }
  Result<Response> create(std::string_view group, std::string resource, std::string ns, std::string_view body) {
    Request made;
    made.verb = Verb::kCreate;
    made.group = group;
    made.resource = std::move(resource);
    made.ns = std::move(ns);
    made.body = *object::parse_json(body);
    return call(std::move(made));
  }
  Result<Response> change_map(Verb verb, const std::string& name, std::string_view body = "null") {
    Request made;
    made.verb = verb;
    made.resource = "configmaps";
    made.ns = "default";
    made.name = name;
    made.body = *object::parse_json(body);
    return call(std::move(made));
  }
  Result<Response> create_map(const std::string& name, const std::string& data = "{}",
                              const std::string& labels = "{}") {
    return create("", "configmaps", "default",
                  R"({"metadata":{"name":")" + name + R"(","labels":)" + labels + R"(},"data":)" + data + "}");
  }

  static std::string rules(const std::string& operations = R"("CREATE","UPDATE")", const std::string& more = "") {
    return R"({"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"],"operations":[)" +
           operations + "]" + more + "}]}";
  }
  // `spec` without matchConstraints.
  Result<Response> create_policy(const std::string& name, const std::string& spec,
                                 const std::string& constraints = rules()) {
    return create(
        kGroup, "validatingadmissionpolicies", "",
        R"({"metadata":{"name":")" + name + R"("},"spec":{"matchConstraints":)" + constraints + "," + spec + "}}");
  }
  Result<Response> bind(const std::string& policy, const std::string& actions = R"("Deny")",
                        const std::string& more = "", const std::string& name = "bound") {
    return create(kGroup, "validatingadmissionpolicybindings", "",
                  R"({"metadata":{"name":")" + name + R"("},"spec":{"policyName":")" + policy +
                      R"(","validationActions":[)" + actions + "]" + more + "}}");
  }
  void enforce(const std::string& spec, const std::string& constraints = rules(), const std::string& more = "") {
    auto made = create_policy("policy", spec, constraints);
    ASSERT_TRUE(made.ok()) << made.error().message;
    auto bound = bind("policy", R"("Deny")", more);
    ASSERT_TRUE(bound.ok()) << bound.error().message;
  }
  static std::string refusal(const Result<Response>& response) {
    if (response.ok()) return "";
    return response.error().message.substr(response.error().message.find("request: ") + 9);
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& api_loop_ = simulation_.make_loop();
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<client::ApiTransport> transport_;
};

TEST_F(PolicyAdmissionTest, RefusesWithItsName) {
  enforce(R"("validations":[{"expression":"has(object.data) && size(object.data) < 2"}])");
  EXPECT_TRUE(create_map("one", R"({"a":"b"})").ok());
  auto refused = create_map("two", R"({"a":"b","c":"d"})");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kInvalid);
  EXPECT_EQ(refused.error().message,
            "configmaps \"two\" is forbidden: ValidatingAdmissionPolicy 'policy' with binding 'bound' denied request: "
            "failed expression: has(object.data) && size(object.data) < 2");
  EXPECT_EQ(refused.error().name, "two");
  auto changed = change_map(Verb::kPatch, "one", R"({"data":{"c":"d"}})");
  EXPECT_FALSE(changed.ok());
  EXPECT_TRUE(change_map(Verb::kDelete, "one").ok());
}

TEST_F(PolicyAdmissionTest, NothingIsInEffectWithoutABinding) {
  ASSERT_TRUE(create_policy("policy", R"("validations":[{"expression":"false"}])").ok());
  EXPECT_TRUE(create_map("one").ok());
  ASSERT_TRUE(bind("policy").ok());
  EXPECT_FALSE(create_map("two").ok());
  Request unbind;
  unbind.verb = Verb::kDelete;
  unbind.group = kGroup;
  unbind.resource = "validatingadmissionpolicybindings";
  unbind.name = "bound";
  ASSERT_TRUE(call(unbind).ok());
  EXPECT_TRUE(create_map("two").ok());
}

TEST_F(PolicyAdmissionTest, MessagesAndReasons) {
  struct Case {
    std::string validation;
    std::string message;
    Reason reason;
  };
  const std::vector<Case> cases = {
      {R"({"expression":"false","message":" as told "})", "as told", Reason::kInvalid},
      {R"({"expression":"false","reason":"Forbidden"})", "failed expression: false", Reason::kForbidden},
      {R"({"expression":"false","reason":"Unauthorized"})", "failed expression: false", Reason::kUnauthorized},
      {R"({"expression":"false","reason":"RequestEntityTooLarge"})", "failed expression: false",
       Reason::kRequestEntityTooLarge},
      {R"({"expression":"false","message":"no","messageExpression":"'is ' + object.metadata.name"})", "is map",
       Reason::kInvalid},
      {R"({"expression":"false","message":"no","messageExpression":"'' + object.data.gone"})", "no", Reason::kInvalid},
      {R"({"expression":"object.gone == 1"})", "expression 'object.gone == 1' resulted in error: no such key: gone",
       Reason::kInvalid}};
  int number = 0;
  for (const Case& one : cases) {
    const std::string name = "policy-" + std::to_string(number++);
    auto made = create_policy(name, R"("validations":[)" + one.validation + "]");
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_TRUE(bind(name, R"("Deny")", "", name).ok());
    auto refused = create_map("map");
    ASSERT_FALSE(refused.ok()) << one.validation;
    EXPECT_EQ(refusal(refused), one.message);
    EXPECT_EQ(refused.error().reason, one.reason) << one.validation;
    Request unbind;
    unbind.verb = Verb::kDelete;
    unbind.group = kGroup;
    unbind.resource = "validatingadmissionpolicybindings";
    unbind.name = name;
    ASSERT_TRUE(call(unbind).ok());
  }
}

TEST_F(PolicyAdmissionTest, WarnsInstead) {
  ASSERT_TRUE(create_policy("policy", R"("validations":[{"expression":"false","message":"hm"}])").ok());
  ASSERT_TRUE(bind("policy", R"("Warn","Audit")").ok());
  auto made = create_map("one");
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->warnings, std::vector<std::string>{
                                "Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'bound': hm"});
}

TEST_F(PolicyAdmissionTest, IgnoresWhatFailsIfToldSo) {
  enforce(R"("failurePolicy":"Ignore","validations":[{"expression":"object.gone == 1"},{"expression":"true"}])");
  EXPECT_TRUE(create_map("one").ok());
}

TEST_F(PolicyAdmissionTest, SeesTheRequest) {
  struct Case {
    std::string expression;
    bool holds;
  };
  const std::vector<Case> cases = {
      {"request.operation == 'CREATE' && oldObject == null", true},
      {"request.kind.kind == 'ConfigMap' && request.resource.resource == 'configmaps'", true},
      {"request.name == 'map' && request.namespace == 'default' && !request.dryRun", true},
      {"request.userInfo.username == 'tester' && 'system:masters' in request.userInfo.groups", true},
      {"has(request.subResource)", false},
      {"namespaceObject.metadata.labels.team == 'a'", true},
      {"authorizer.group('').resource('pods').namespace('default').check('get').allowed()", true},
      {"authorizer.serviceAccount('default', 'default').group('').resource('pods').check('get').allowed()", false},
      {"authorizer.requestResource.check('create').allowed()", true},
      {"object.kind == 'ConfigMap' && object.apiVersion == 'v1'", true}};
  int number = 0;
  for (const Case& one : cases) {
    const std::string name = "policy-" + std::to_string(number++);
    auto made = create_policy(name, R"("validations":[{"expression":")" + one.expression + "\"}]");
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_TRUE(bind(name, R"("Warn")", "", name).ok());
  }
  auto made = create_map("map");
  ASSERT_TRUE(made.ok()) << made.error().message;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string told = "'policy-" + std::to_string(i) + "'";
    auto warned = std::find_if(made->warnings.begin(), made->warnings.end(),
                               [&](const std::string& text) { return text.find(told) != std::string::npos; });
    EXPECT_EQ(warned == made->warnings.end(), cases[i].holds)
        << cases[i].expression << (warned == made->warnings.end() ? "" : *warned);
  }
}

TEST_F(PolicyAdmissionTest, VariablesAreComposedAndLazy) {
  enforce(
      R"("variables":[{"name":"size","expression":"size(object.data) "},)"
      R"({"name":"double","expression":"variables.size * 2"},{"name":"broken","expression":"object.gone"}],)"
      R"("validations":[{"expression":"variables.double < 4","messageExpression":"'double is ' + string(variables.double) "}])");
  EXPECT_TRUE(create_map("one", R"({"a":"b"})").ok());
  EXPECT_EQ(refusal(create_map("two", R"({"a":"b","c":"d"})")), "double is 4");
  auto failed = create_map("three");
  EXPECT_NE(refusal(failed).find("composited variable \"double\" fails to evaluate: composited variable \"size\" fails "
                                 "to evaluate: no such key: data"),
            std::string::npos)
      << refusal(failed);
}

TEST_F(PolicyAdmissionTest, ConditionsComeFirst) {
  enforce(R"("matchConditions":[{"name":"named","expression":"object.metadata.name.startsWith('x') "}],)"
          R"("validations":[{"expression":"false"}])");
  EXPECT_TRUE(create_map("one").ok());
  EXPECT_FALSE(create_map("x-one").ok());
}

TEST_F(PolicyAdmissionTest, ChoosesByRulesSelectorsAndNames) {
  struct Case {
    std::string constraints;
    bool refuses;
  };
  const std::string all =
      R"("resourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"resources":["*"],"operations":["*"]}])";
  auto rule = [](const std::string& more) {
    return R"({"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"],"operations":["*"])" + more + "}";
  };
  const std::vector<Case> cases = {
      {"{" + all + "}", true},
      {R"({"resourceRules":[)" + rule(R"(,"scope":"Cluster")") + "]}", false},
      {R"({"resourceRules":[)" + rule(R"(,"resourceNames":["map"])") + "]}", true},
      {R"({"resourceRules":[)" + rule(R"(,"resourceNames":["other"])") + "]}", false},
      {"{" + all + R"(,"excludeResourceRules":[)" + rule("") + "]}", false},
      {"{" + all + R"(,"excludeResourceRules":[)" + rule(R"(,"resourceNames":["other"])") + "]}", true},
      {"{" + all + R"(,"namespaceSelector":{"matchLabels":{"team":"a"}}})", true},
      {"{" + all + R"(,"namespaceSelector":{"matchLabels":{"team":"b"}}})", false},
      {"{" + all + R"(,"objectSelector":{"matchLabels":{"app":"x"}}})", true},
      {"{" + all + R"(,"objectSelector":{"matchLabels":{"app":"y"}}})", false}};
  int number = 0;
  for (const Case& one : cases) {
    const std::string name = "policy-" + std::to_string(number++);
    // Of the policy, and in the same way of a binding.
    auto made = create_policy(name, R"("validations":[{"expression":"false"}])", one.constraints);
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_TRUE(bind(name, R"("Warn")", "", name).ok());
    ASSERT_TRUE(create_policy("b" + name, R"("validations":[{"expression":"false"}])", "{" + all + "}").ok());
    ASSERT_TRUE(bind("b" + name, R"("Warn")", R"(,"matchResources":)" + one.constraints, "b" + name).ok());
  }
  auto made = create_map("map", "{}", R"({"app":"x"})");
  ASSERT_TRUE(made.ok()) << made.error().message;
  const std::string told = object::to_json([&] {
    Value list = Value::array();
    for (const std::string& warning : made->warnings) list.append(warning);
    return list;
  }());
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string name = "policy-" + std::to_string(i) + "' with";
    EXPECT_EQ(told.find("'" + name) != std::string::npos, cases[i].refuses) << cases[i].constraints;
    EXPECT_EQ(told.find("'b" + name) != std::string::npos, cases[i].refuses) << cases[i].constraints;
  }
}

TEST_F(PolicyAdmissionTest, ParametersByNameAndLabels) {
  const std::string spec =
      R"("paramKind":{"apiVersion":"v1","kind":"ConfigMap"},)"
      R"("validations":[{"expression":"params == null || size(object.data) <= int(params.data.max) "}])";
  ASSERT_TRUE(create_map("limits", R"({"max":"1"})", R"({"role":"limits"})").ok());
  ASSERT_TRUE(create_policy("policy", spec).ok());
  ASSERT_TRUE(bind("policy", R"("Deny")", R"(,"paramRef":{"name":"limits","parameterNotFoundAction":"Deny"})").ok());
  EXPECT_TRUE(create_map("one", R"({"a":"b"})").ok());
  EXPECT_FALSE(create_map("two", R"({"a":"b","c":"d"})").ok());
  ASSERT_TRUE(bind("policy", R"("Deny")",
                   R"(,"paramRef":{"selector":{"matchLabels":{"role":"limits"}},"parameterNotFoundAction":"Allow"})")
                  .error()
                  .reason == Reason::kAlreadyExists);
  // The parameters of other namespaces are no parameters.
  ASSERT_TRUE(change_map(Verb::kDelete, "limits").ok());
  EXPECT_EQ(refusal(create_map("three", R"({"a":"b"})")),
            "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction");
}

TEST_F(PolicyAdmissionTest, SelectedParametersAllCount) {
  ASSERT_TRUE(create_policy("policy", R"("paramKind":{"apiVersion":"v1","kind":"ConfigMap"},)"
                                      R"("validations":[{"expression":"size(object.data) <= int(params.data.max) "}])")
                  .ok());
  ASSERT_TRUE(bind("policy", R"("Deny")",
                   R"(,"paramRef":{"selector":{"matchLabels":{"role":"limits"}},"parameterNotFoundAction":"Allow"})")
                  .ok());
  EXPECT_TRUE(create_map("free", R"({"a":"b","c":"d"})").ok());
  ASSERT_TRUE(create_map("high", R"({"max":"9"})", R"({"role":"limits"})").ok());
  EXPECT_TRUE(create_map("two", R"({"a":"b","c":"d"})").ok());
  ASSERT_TRUE(create_map("low", R"({"max":"1"})", R"({"role":"limits"})").ok());
  EXPECT_FALSE(create_map("three", R"({"a":"b","c":"d"})").ok());
}

TEST_F(PolicyAdmissionTest, UnknownParameterKindsFail) {
  ASSERT_TRUE(create_policy("policy", R"("paramKind":{"apiVersion":"example.com/v1","kind":"Limit"},)"
                                      R"("validations":[{"expression":"true"}])")
                  .ok());
  ASSERT_TRUE(bind("policy").ok());
  auto refused = create_map("one");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(
      refused.error().message.find("ValidatingAdmissionPolicy 'policy' denied request: failed to configure policy: "
                                   "failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limit'"),
      std::string::npos)
      << refused.error().message;
}

TEST_F(PolicyAdmissionTest, StatusTellsDoubts) {
  auto made = create_policy(
      "policy", R"("validations":[{"expression":"object.spec.replicas > 0"},{"expression":"object.spec.gone > 0"}])",
      R"({"resourceRules":[{"apiGroups":["apps"],"apiVersions":["v1"],"resources":["deployments"],"operations":["*"]}]})");
  ASSERT_TRUE(made.ok()) << made.error().message;
  const Value& status = made->object->status();
  EXPECT_EQ(status.at("observedGeneration").as_int(), 1);
  const Value& warnings = status.at({"typeChecking", "expressionWarnings"});
  ASSERT_EQ(warnings.size(), 1u) << object::to_json(status);
  EXPECT_EQ(warnings.items()[0].at("fieldRef").as_string(), "spec.validations[1].expression");
  std::string_view text = warnings.items()[0].at("warning").as_string();
  EXPECT_TRUE(text.starts_with("apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'gone'")) << text;
}

TEST_F(PolicyAdmissionTest, CustomKindsAreJudged) {
  ASSERT_TRUE(create("apiextensions.k8s.io", "customresourcedefinitions", "",
                     R"({"metadata":{"name":"things.example.com"},"spec":{"group":"example.com","scope":"Namespaced",
                     "names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1","served":true,"storage":true,
                     "schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}})")
                  .ok());
  enforce(
      R"("validations":[{"expression":"object.size < 3"}])",
      R"({"resourceRules":[{"apiGroups":["example.com"],"apiVersions":["v1"],"resources":["things"],"operations":["*"]}]})");
  EXPECT_TRUE(create("example.com", "things", "default", R"({"metadata":{"name":"a"},"size":2})").ok());
  EXPECT_FALSE(create("example.com", "things", "default", R"({"metadata":{"name":"b"},"size":3})").ok());
}

}  // namespace
}  // namespace stead::apiserver
