#include "apiserver/webhooks/webhook_admission.h"

#include <gtest/gtest.h>

#include "apiserver/api_server.h"
#include "loop/simulated_loop.h"
#include "object/base64.h"
#include "object/codec.h"
#include "store/memory/memory_store.h"

namespace stead::apiserver {
namespace {

using client::Request;
using client::Response;
using client::Verb;
using object::Value;

// Webhooks by their paths: each is told the request and gives the response without its uid.
class FakeWebhooks final : public WebhookCaller {
 public:
  using Answer = std::function<Result<Value>(const Value& request)>;
  explicit FakeWebhooks(loop::Loop& loop) : loop_(loop) {}

  void post(const HttpsTarget& target, std::string body, std::chrono::milliseconds, Done done) override {
    Value review = *object::parse_json(body);
    std::string path = target.path.substr(0, target.path.find('?'));
    calls.emplace_back(path, review.at("request"));
    Result<Value> answered = answers.at(path)(review.at("request"));
    loop_.post([=] {
      if (!answered.ok()) return done(answered.error());
      Value response = *answered;
      response.set("uid", review.at({"request", "uid"}));
      Value full = Value::object({{"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}});
      full.set("response", std::move(response));
      done(object::to_json(full));
    });
  }

  std::map<std::string, Answer> answers;
  std::vector<std::pair<std::string, Value>> calls;

 private:
  loop::Loop& loop_;
};

Value allowed() { return Value::object({{"allowed", true}}); }
Value patching(std::string_view operations) {
  return Value::object({{"allowed", true}, {"patchType", "JSONPatch"}, {"patch", object::encode_base64(operations)}});
}
FakeWebhooks::Answer always(Value response) {
  return [response](const Value&) -> Result<Value> { return response; };
}

class WebhookAdmissionTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open_memory_store(api_loop_);
    cache_ = std::move(*cache::Cache::open(*store_, api_loop_));
    ApiServerOptions options;
    options.webhooks = &webhooks_;
    server_ = std::move(*ApiServer::make(*store_, *cache_, api_loop_, simulation_.random(), options));
    transport_ = server_->transport({"tester", "", {"system:masters"}}, loop_);
    ASSERT_TRUE(create("", "namespaces", "", R"({"metadata":{"name":"default","labels":{"team":"a"}}})").ok());
  }

  Result<Response> call(Request request) {
    std::optional<Result<Response>> answer;
    transport_->call(std::move(request), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
    return answer ? std::move(*answer) : make_error(Reason::kTimeout, "no answer");
  }
  Request request(Verb verb, std::string group, std::string resource, std::string ns, std::string name) {
    Request made;
    made.verb = verb;
    made.group = std::move(group);
    made.resource = std::move(resource);
    made.ns = std::move(ns);
    made.name = std::move(name);
    return made;
  }
  Result<Response> create(std::string group, std::string resource, std::string ns, std::string_view body) {
    Request made = request(Verb::kCreate, std::move(group), std::move(resource), std::move(ns), "");
    made.body = *object::parse_json(body);
    return call(std::move(made));
  }
  Result<Response> patch(std::string resource, std::string name, std::string_view body, std::string subresource = "",
                         std::string group = "") {
    Request made = request(Verb::kPatch, std::move(group), std::move(resource), "default", std::move(name));
    made.body = *object::parse_json(body);
    made.subresource = std::move(subresource);
    return call(std::move(made));
  }
  Result<Response> create_map(const std::string& name, const std::string& more = "") {
    return create("", "configmaps", "default", R"({"metadata":{"name":")" + name + "\"" + more + R"(},"data":{}})");
  }

  // `kind` is "mutating" or "validating"; the webhook's path is "/<name>".
  void configure(const std::string& kind, const std::string& name, const std::string& rule,
                 const std::string& more = "") {
    std::string webhook =
        R"({"name":")" + name + R"(.example.com","sideEffects":"None","admissionReviewVersions":["v1"],)" +
        R"("clientConfig":{"url":"https://127.0.0.1/)" + name + R"("},"rules":[)" + rule + "]" + more + "}";
    auto made = create("admissionregistration.k8s.io", kind + "webhookconfigurations", "",
                       R"({"metadata":{"name":")" + name + R"("},"webhooks":[)" + webhook + "]}");
    ASSERT_TRUE(made.ok()) << made.error().message;
    webhooks_.answers["/" + name] = always(allowed());
  }
  static std::string rule(const std::string& operations, const std::string& resources, const std::string& group = "",
                          const std::string& version = "v1") {
    return R"({"operations":[)" + operations + R"(],"apiGroups":[")" + group + R"("],"apiVersions":[")" + version +
           R"("],"resources":[)" + resources + "]}";
  }
  std::vector<std::string> called() const {
    std::vector<std::string> paths;
    for (const auto& [path, request] : webhooks_.calls) paths.push_back(path);
    return paths;
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& api_loop_ = simulation_.make_loop();
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  FakeWebhooks webhooks_{api_loop_};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<client::ApiTransport> transport_;
};

TEST_F(WebhookAdmissionTest, TellsWhatIsDone) {
  configure("validating", "watcher", rule(R"("*")", R"("configmaps")"));
  ASSERT_TRUE(create_map("one").ok());
  ASSERT_TRUE(patch("configmaps", "one", R"({"data":{"a":"b"}})").ok());
  ASSERT_TRUE(call(request(Verb::kDelete, "", "configmaps", "default", "one")).ok());
  ASSERT_EQ(webhooks_.calls.size(), 3U);
  const Value& creation = webhooks_.calls[0].second;
  EXPECT_EQ(creation.at("operation").as_string(), "CREATE");
  EXPECT_EQ(creation.at("name").as_string(), "one");
  EXPECT_EQ(creation.at("namespace").as_string(), "default");
  EXPECT_EQ(creation.at({"userInfo", "username"}).as_string(), "tester");
  EXPECT_EQ(object::to_json(creation.at("kind")), R"({"group":"","version":"v1","kind":"ConfigMap"})");
  EXPECT_EQ(object::to_json(creation.at("resource")), R"({"group":"","version":"v1","resource":"configmaps"})");
  EXPECT_EQ(creation.at({"object", "metadata", "name"}).as_string(), "one");
  EXPECT_TRUE(creation.at("oldObject").is_null());
  EXPECT_EQ(creation.at({"options", "kind"}).as_string(), "CreateOptions");
  const Value& update = webhooks_.calls[1].second;
  EXPECT_EQ(update.at("operation").as_string(), "UPDATE");
  EXPECT_EQ(update.at({"object", "data", "a"}).as_string(), "b");
  EXPECT_TRUE(update.at({"oldObject", "data", "a"}).is_null());
  EXPECT_EQ(update.at({"options", "kind"}).as_string(), "PatchOptions");
  const Value& deletion = webhooks_.calls[2].second;
  EXPECT_EQ(deletion.at("operation").as_string(), "DELETE");
  EXPECT_TRUE(deletion.at("object").is_null());
  EXPECT_EQ(deletion.at({"oldObject", "data", "a"}).as_string(), "b");
}

TEST_F(WebhookAdmissionTest, RefusesEveryVerb) {
  configure("validating", "no", rule(R"("*")", R"("configmaps")"));
  ASSERT_TRUE(create_map("one").ok());
  webhooks_.answers["/no"] = always(*object::parse_json(R"({"allowed":false,"status":{"message":"not today"}})"));
  for (const Result<Response>& answer : {create_map("two"), patch("configmaps", "one", R"({"data":{"a":"b"}})"),
                                         call(request(Verb::kDelete, "", "configmaps", "default", "one")),
                                         call(request(Verb::kDeleteCollection, "", "configmaps", "default", ""))}) {
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().message, "admission webhook \"no.example.com\" denied the request: not today");
  }
  webhooks_.answers["/no"] = always(Value::object({{"allowed", false}}));
  EXPECT_EQ(create_map("two").error().message,
            "admission webhook \"no.example.com\" denied the request without explanation");
  auto kept = call(request(Verb::kGet, "", "configmaps", "default", "one"));
  ASSERT_TRUE(kept.ok());
  EXPECT_TRUE(kept->object->document().at({"data", "a"}).is_null());
}

TEST_F(WebhookAdmissionTest, PatchesWhatIsStored) {
  configure("mutating", "adder", rule(R"("CREATE","UPDATE")", R"("configmaps")"));
  configure("validating", "seer", rule(R"("*")", R"("configmaps")"));
  webhooks_.answers["/adder"] = always(patching(
      R"([{"op":"add","path":"/data","value":{"added":"yes"}},{"op":"add","path":"/metadata/labels","value":{"x":"y"}},
          {"op":"replace","path":"/metadata/uid","value":"mine"},{"op":"add","path":"/unknown","value":1}])"));
  auto made = create_map("one");
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->object->document().at({"data", "added"}).as_string(), "yes");
  EXPECT_EQ(made->object->metadata().at({"labels", "x"}).as_string(), "y");
  EXPECT_NE(made->object->uid(), "mine");
  EXPECT_TRUE(made->object->document().at("unknown").is_null());
  ASSERT_EQ(called(), (std::vector<std::string>{"/adder", "/seer"}));
  EXPECT_EQ(webhooks_.calls[1].second.at({"object", "data", "added"}).as_string(), "yes");
  auto changed = patch("configmaps", "one", R"({"data":{"added":"no"}})");
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->object->document().at({"data", "added"}).as_string(), "yes");
}

TEST_F(WebhookAdmissionTest, WhatAPatchMakesIsValidated) {
  configure("mutating", "breaker", rule(R"("CREATE")", R"("configmaps")"));
  webhooks_.answers["/breaker"] = always(patching(R"([{"op":"add","path":"/data","value":{"not a key!":"x"}}])"));
  auto made = create_map("one");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().reason, Reason::kInvalid) << made.error().message;
  webhooks_.answers["/breaker"] = always(patching(R"([{"op":"remove","path":"/nothing/here"}])"));
  made = create_map("one");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().reason, Reason::kInternal);
  EXPECT_NE(made.error().message.find("failed calling webhook \"breaker.example.com\""), std::string::npos);
}

TEST_F(WebhookAdmissionTest, RunInOrderAndAgainIfNeeded) {
  configure("mutating", "a", rule(R"("CREATE")", R"("configmaps")"), R"(,"reinvocationPolicy":"IfNeeded")");
  configure("mutating", "b", rule(R"("CREATE")", R"("configmaps")"));
  configure("mutating", "c", rule(R"("CREATE")", R"("configmaps")"), R"(,"reinvocationPolicy":"IfNeeded")");
  ASSERT_TRUE(create_map("one").ok());
  EXPECT_EQ(called(), (std::vector<std::string>{"/a", "/b", "/c"}));
  webhooks_.calls.clear();
  webhooks_.answers["/b"] = always(patching(R"([{"op":"add","path":"/data","value":{"b":"1"}}])"));
  ASSERT_TRUE(create_map("two").ok());
  // The last one saw the change already.
  EXPECT_EQ(called(), (std::vector<std::string>{"/a", "/b", "/c", "/a"}));
  EXPECT_EQ(webhooks_.calls[3].second.at({"object", "data", "b"}).as_string(), "1");
}

TEST_F(WebhookAdmissionTest, FailuresFollowThePolicy) {
  configure("validating", "strict", rule(R"("CREATE")", R"("configmaps")"));
  configure("validating", "lax", rule(R"("CREATE")", R"("secrets")"), R"(,"failurePolicy":"Ignore")");
  for (const char* path : {"/strict", "/lax"}) {
    webhooks_.answers[path] = [](const Value&) -> Result<Value> {
      return make_error(Reason::kTimeout, "context deadline exceeded");
    };
  }
  auto refused = create_map("one");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kInternal);
  EXPECT_EQ(refused.error().message,
            "Internal error occurred: failed calling webhook \"strict.example.com\": failed to call webhook: Post "
            "\"https://127.0.0.1:443/strict?timeout=10s\": context deadline exceeded");
  EXPECT_TRUE(create("", "secrets", "default", R"({"metadata":{"name":"s"}})").ok());
}

TEST_F(WebhookAdmissionTest, SelectorsChoose) {
  const std::string team_b = R"("matchLabels":{"team":"b"})";
  configure("validating", "space", rule(R"("CREATE")", R"("configmaps")"), ",\"namespaceSelector\":{" + team_b + "}");
  configure("validating", "thing", rule(R"("CREATE")", R"("configmaps")"), ",\"objectSelector\":{" + team_b + "}");
  configure("validating", "nodes", rule(R"("CREATE")", R"("*")"),
            R"(,"namespaceSelector":{"matchLabels":{"team":"x"}})");
  ASSERT_TRUE(create_map("one").ok());
  EXPECT_TRUE(called().empty());
  ASSERT_TRUE(create_map("two", R"(,"labels":{"team":"b"})").ok());
  EXPECT_EQ(called(), (std::vector<std::string>{"/thing"}));
  webhooks_.calls.clear();
  // What is in no namespace is not held against a namespaceSelector; a namespace is, by its own labels.
  ASSERT_TRUE(create("", "nodes", "", R"({"metadata":{"name":"n"}})").ok());
  EXPECT_EQ(called(), (std::vector<std::string>{"/nodes"}));
  webhooks_.calls.clear();
  ASSERT_TRUE(create("", "namespaces", "", R"({"metadata":{"name":"other","labels":{"team":"y"}}})").ok());
  EXPECT_TRUE(called().empty());
}

TEST_F(WebhookAdmissionTest, SubresourcesAndScopesAreToldApart) {
  configure("validating", "whole", rule(R"("*")", R"("statefulsets")", "apps"));
  configure("validating", "status", rule(R"("*")", R"("statefulsets/status")", "apps"));
  configure("validating", "scale", rule(R"("*")", R"("*/scale")", "*"));
  configure("validating", "cluster",
            R"({"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"],"scope":"Cluster"})");
  ASSERT_TRUE(create("apps", "statefulsets", "default",
                     R"({"metadata":{"name":"s"},"spec":{"serviceName":"s","selector":{"matchLabels":{"a":"b"}},
                         "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})")
                  .ok());
  EXPECT_EQ(called(), (std::vector<std::string>{"/whole"}));
  webhooks_.calls.clear();
  ASSERT_TRUE(patch("statefulsets", "s", R"({"status":{"replicas":3}})", "status", "apps").ok());
  EXPECT_EQ(called(), (std::vector<std::string>{"/status"}));
  webhooks_.calls.clear();
  ASSERT_TRUE(patch("statefulsets", "s", R"({"spec":{"replicas":2}})", "scale", "apps").ok());
  ASSERT_EQ(called(), (std::vector<std::string>{"/scale"}));
  const Value& told = webhooks_.calls[0].second;
  EXPECT_EQ(told.at({"kind", "kind"}).as_string(), "Scale");
  EXPECT_EQ(told.at("subResource").as_string(), "scale");
  EXPECT_EQ(told.at({"object", "spec", "replicas"}).as_int(), 2);
  EXPECT_EQ(told.at({"oldObject", "spec", "replicas"}).as_int(), 1);
}

TEST_F(WebhookAdmissionTest, EquivalentVersionsAreConverted) {
  configure("validating", "old", rule(R"("CREATE")", R"("statefulsets")", "apps", "v1beta1"));
  configure("validating", "exact", rule(R"("CREATE")", R"("statefulsets")", "apps", "v1beta1"),
            R"(,"matchPolicy":"Exact")");
  ASSERT_TRUE(create("apps", "statefulsets", "default",
                     R"({"metadata":{"name":"s"},"spec":{"serviceName":"s","selector":{"matchLabels":{"a":"b"}},
                         "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})")
                  .ok());
  ASSERT_EQ(called(), (std::vector<std::string>{"/old"}));
  const Value& told = webhooks_.calls[0].second;
  EXPECT_EQ(told.at({"object", "apiVersion"}).as_string(), "apps/v1beta1");
  EXPECT_EQ(told.at({"kind", "version"}).as_string(), "v1beta1");
  EXPECT_EQ(told.at({"requestKind", "version"}).as_string(), "v1");
}

TEST_F(WebhookAdmissionTest, TheirOwnConfigurationsAreExempt) {
  configure("validating", "all", R"({"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*/*"]})");
  webhooks_.answers["/all"] = always(Value::object({{"allowed", false}}));
  EXPECT_FALSE(create_map("one").ok());
  size_t before = webhooks_.calls.size();
  ASSERT_TRUE(
      call(request(Verb::kDelete, "admissionregistration.k8s.io", "validatingwebhookconfigurations", "", "all")).ok());
  EXPECT_EQ(webhooks_.calls.size(), before);
  EXPECT_TRUE(create_map("one").ok());
}

TEST_F(WebhookAdmissionTest, ConditionsChoose) {
  auto when = [](const std::string& expression) {
    return R"(,"matchConditions":[{"name":"when","expression":")" + expression + "\"}]";
  };
  const std::string maps = rule(R"("CREATE")", R"("configmaps")");
  configure("mutating", "changer", maps, when("object.metadata.name == 'one'"));
  configure("validating", "judge", maps, when("request.userInfo.username == 'somebody else'"));
  configure("validating", "lax", maps, when("object.gone == 1") + R"(,"failurePolicy":"Ignore")");
  ASSERT_TRUE(create_map("one").ok());
  ASSERT_TRUE(create_map("two").ok());
  EXPECT_EQ(called(), std::vector<std::string>{"/changer"});
  configure("validating", "strict", maps, when("object.gone == 1"));
  auto refused = create_map("three");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kForbidden);
  EXPECT_EQ(refused.error().message,
            "configmaps \"three\" is forbidden: expression 'object.gone == 1' resulted in error: no such key: gone");
}

TEST_F(WebhookAdmissionTest, BadConfigurationsAreNamed) {
  struct Case {
    std::string webhook;
    std::string said;
  };
  const std::string good = R"("name":"a.b.c","sideEffects":"None","admissionReviewVersions":["v1"])";
  const std::string to = R"("clientConfig":{"url":"https://127.0.0.1/"})";
  for (
      const Case& one : std::vector<Case>{
          {good, "webhooks[0].clientConfig: Required value: exactly one of url or service is required"},
          {good + R"(,"clientConfig":{"url":"http://x/"})", "'https' is the only allowed URL scheme; got \\\"http\\\""},
          {R"("name":"ab","sideEffects":"None","admissionReviewVersions":["v1"],)" + to,
           "should be a domain with at least three segments separated by dots"},
          {R"("name":"a.b.c","sideEffects":"Some","admissionReviewVersions":["v1"],)" + to,
           "webhooks[0].sideEffects: Unsupported value: \"Some\""},
          {R"("name":"a.b.c","sideEffects":"None","admissionReviewVersions":["v7"],)" + to,
           "must include at least one of v1, v1beta1"},
          {good + "," + to +
               R"(,"rules":[{"operations":["*","CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"]}])",
           "if '*' is present, must not specify other operations"},
          {good + "," + to + R"(,"matchConditions":[{"name":"x","expression":"object."}])",
           "webhooks[0].matchConditions[0].expression: Invalid value: \"object.\": compilation failed: ERROR"},
          {good + "," + to + R"(,"matchConditions":[{"name":"x","expression":"1"}])",
           "must evaluate to bool but got int"}}) {
    auto made = create("admissionregistration.k8s.io", "validatingwebhookconfigurations", "",
                       R"({"metadata":{"name":"bad"},"webhooks":[{)" + one.webhook + "}]}");
    ASSERT_FALSE(made.ok()) << one.said;
    std::string said = one.said;
    for (size_t at = 0; (at = said.find("\\\"", at)) != std::string::npos;) said.erase(at, 1);
    EXPECT_NE(made.error().message.find(said), std::string::npos) << made.error().message;
  }
}

}  // namespace
}  // namespace stead::apiserver
