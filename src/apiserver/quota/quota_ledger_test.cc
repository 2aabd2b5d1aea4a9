// Quotas and evictions through the whole server: exact however many ask at once.

#include <gtest/gtest.h>

#include "apiserver/api_server.h"
#include "loop/simulated_loop.h"
#include "object/codec.h"
#include "store/memory/memory_store.h"

namespace stead::apiserver {
namespace {

using client::Request;
using client::Verb;

class QuotaTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open_memory_store(api_loop_);
    cache_ = std::move(*cache::Cache::open(*store_, api_loop_));
    server_ = std::move(*ApiServer::make(*store_, *cache_, api_loop_, simulation_.random(), {}));
    transport_ = server_->transport({"tester", "", {"system:masters"}}, loop_);
    ASSERT_TRUE(call(create("", "namespaces", R"({"metadata":{"name":"default"}})", "")).ok());
  }

  static Request create(std::string group, std::string resource, std::string_view body, std::string ns = "default") {
    Request made;
    made.verb = Verb::kCreate;
    made.group = std::move(group);
    made.resource = std::move(resource);
    made.ns = std::move(ns);
    made.body = *object::parse_json(body);
    return made;
  }
  static Request config_map(int number) {
    return create("", "configmaps", R"({"metadata":{"name":"c)" + std::to_string(number) + R"("}})");
  }
  Result<Response> call(Request request) {
    std::optional<Result<Response>> answer;
    transport_->call(std::move(request), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
    return answer ? std::move(*answer) : Result<Response>(make_error(Reason::kTimeout, "no answer"));
  }
  // All at once; returns how many succeeded.
  int call_together(std::vector<Request> requests) {
    int succeeded = 0;
    size_t answered = 0;
    for (Request& request : requests) {
      transport_->call(std::move(request), [&](const Result<Response>& response) {
        succeeded += response.ok();
        ++answered;
      });
    }
    simulation_.run_until([&] { return answered == requests.size(); }, std::chrono::seconds(5));
    EXPECT_EQ(answered, requests.size());
    return succeeded;
  }

  loop::Simulation simulation_{7};
  loop::SimulatedLoop& api_loop_ = simulation_.make_loop();
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<client::ApiTransport> transport_;
};

TEST_F(QuotaTest, ExactHoweverManyAskAtOnce) {
  ASSERT_TRUE(call(create("", "resourcequotas",
                          R"({"metadata":{"name":"q"},"spec":{"hard":{"configmaps":"5","count/secrets":"0"}}})"))
                  .ok());
  std::vector<Request> requests;
  requests.reserve(40);
  for (int i = 0; i < 40; ++i) requests.push_back(config_map(i));
  EXPECT_EQ(call_together(std::move(requests)), 5);
  auto refused = call(config_map(99));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kForbidden);
  EXPECT_EQ(refused.error().message,
            "configmaps \"c99\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=5, limited: "
            "configmaps=5");
  EXPECT_FALSE(call(create("", "secrets", R"({"metadata":{"name":"s"}})")).ok());
}

TEST_F(QuotaTest, ARefusedWriteCostsNothing) {
  ASSERT_TRUE(
      call(create("", "resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"configmaps":"2"}}})")).ok());
  ASSERT_TRUE(call(config_map(1)).ok());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(call(config_map(1)).error().reason, Reason::kAlreadyExists);
  EXPECT_TRUE(call(config_map(2)).ok());
}

TEST_F(QuotaTest, APodMustSayWhatIsLimited) {
  ASSERT_TRUE(
      call(create("", "resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"limits.cpu":"1"}}})")).ok());
  auto refused =
      call(create("", "pods", R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"b"}]}})"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "pods \"p\" is forbidden: failed quota: q: must specify limits.cpu for: a");
}

// Two pods that may be evicted, one disruption allowed: one eviction is granted, whoever asks first.
TEST_F(QuotaTest, NoTwoEvictionsTakeTheSameDisruption) {
  for (std::string name : {"a", "b"}) {
    std::string body = R"({"metadata":{"name":")" + name +
                       R"(","labels":{"app":"web"}},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})";
    ASSERT_TRUE(call(create("", "pods", body)).ok());
    Request status;
    status.verb = Verb::kPatch;
    status.resource = "pods";
    status.subresource = "status";
    status.ns = "default";
    status.name = name;
    status.body =
        *object::parse_json(R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}})");
    ASSERT_TRUE(call(std::move(status)).ok());
  }
  ASSERT_TRUE(
      call(create("policy", "poddisruptionbudgets",
                  R"({"metadata":{"name":"web"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"web"}}}})"))
          .ok());
  auto evict = [](std::string name) {
    Request made = create("", "pods", "{}");
    made.name = std::move(name);
    made.subresource = "eviction";
    return made;
  };
  auto unknown = call(evict("a"));
  EXPECT_EQ(unknown.error().reason, Reason::kTooManyRequests) << "nobody has counted yet";
  EXPECT_GT(unknown.error().retry_after_seconds, 0);
  Request counted;
  counted.verb = Verb::kPatch;
  counted.group = "policy";
  counted.resource = "poddisruptionbudgets";
  counted.subresource = "status";
  counted.ns = "default";
  counted.name = "web";
  counted.body = *object::parse_json(
      R"({"status":{"observedGeneration":1,"disruptionsAllowed":1,"currentHealthy":2,"desiredHealthy":1,"expectedPods":2}})");
  ASSERT_TRUE(call(std::move(counted)).ok());
  std::vector<Request> both;
  both.push_back(evict("a"));
  both.push_back(evict("b"));
  EXPECT_EQ(call_together(std::move(both)), 1);
  auto refused = call(evict("b"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::kTooManyRequests);
  ASSERT_EQ(refused.error().causes.size(), 1U);
  EXPECT_EQ(refused.error().causes[0].reason, "DisruptionBudget");
}

}  // namespace
}  // namespace stead::apiserver
