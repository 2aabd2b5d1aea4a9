#include "apiserver/priority_admission.h"

#include <gtest/gtest.h>

#include "apiserver/api_server.h"
#include "loop/simulated_loop.h"
#include "object/codec.h"
#include "store/memory/memory_store.h"

namespace stead::apiserver {
namespace {

using client::Request;
using client::Response;
using object::Value;

class PriorityTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = store::open_memory_store(api_loop_);
    cache_ = std::move(*cache::Cache::open(*store_, api_loop_));
    server_ = std::move(*ApiServer::make(*store_, *cache_, api_loop_, simulation_.random(), {}));
    transport_ = server_->transport({"tester", "", {"system:masters"}}, loop_);
    ASSERT_TRUE(create("", "namespaces", "", R"({"metadata":{"name":"default"}})").ok());
  }

  Result<Response> create(std::string group, std::string resource, std::string ns, std::string_view body) {
    Request request;
    request.verb = client::Verb::kCreate;
    request.group = std::move(group);
    request.resource = std::move(resource);
    request.ns = std::move(ns);
    request.body = *object::parse_json(body);
    std::optional<Result<Response>> answer;
    transport_->call(std::move(request), [&](Result<Response> response) { answer = std::move(response); });
    simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
    return answer ? std::move(*answer) : make_error(Reason::kTimeout, "no answer");
  }
  Result<Response> create_class(const std::string& name, int value, const std::string& more = {}) {
    return create("scheduling.k8s.io", "priorityclasses", "",
                  R"({"metadata":{"name":")" + name + R"("},"value":)" + std::to_string(value) + more + "}");
  }
  Result<Response> create_pod(const std::string& name, const std::string& spec) {
    return create(
        "", "pods", "default",
        R"({"metadata":{"name":")" + name + R"("},"spec":{)" + spec + R"("containers":[{"name":"c","image":"i"}]}})");
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& api_loop_ = simulation_.make_loop();
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<client::ApiTransport> transport_;
};

TEST_F(PriorityTest, ComesFromTheClass) {
  ASSERT_TRUE(create_class("high", 1000, R"(,"preemptionPolicy":"Never")").ok());
  auto pod = create_pod("a", R"("priorityClassName":"high",)");
  ASSERT_TRUE(pod.ok()) << pod.error().message;
  EXPECT_EQ(pod->object->spec().at("priority").as_int(), 1000);
  EXPECT_EQ(pod->object->spec().at("preemptionPolicy").as_string(), "Never");
  auto plain = create_pod("b", "");
  EXPECT_EQ(plain->object->spec().at("priority").as_int(-1), 0);
  auto critical = create_pod("c", R"("priorityClassName":"system-node-critical",)");
  EXPECT_EQ(critical->object->spec().at("priority").as_int(), 2'000'001'000);
}

TEST_F(PriorityTest, TheDefaultClassIsForPodsWithoutOne) {
  ASSERT_TRUE(create_class("usual", 7, R"(,"globalDefault":true)").ok());
  auto pod = create_pod("a", "");
  EXPECT_EQ(pod->object->spec().at("priorityClassName").as_string(), "usual");
  EXPECT_EQ(pod->object->spec().at("priority").as_int(), 7);
  auto second = create_class("other", 8, R"(,"globalDefault":true)");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason, Reason::kForbidden);
}

TEST_F(PriorityTest, RefusesWhatIsNotTheClasses) {
  auto unknown = create_pod("a", R"("priorityClassName":"nope",)");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().message, "pods \"a\" is forbidden: no PriorityClass with name nope was found");
  auto own = create_pod("a", R"("priority":5,)");
  ASSERT_FALSE(own.ok());
  EXPECT_EQ(own.error().reason, Reason::kForbidden);
}

TEST_F(PriorityTest, ClassesKeepToTheirRange) {
  auto reserved = create_class("system-mine", 5);
  ASSERT_FALSE(reserved.ok());
  EXPECT_NE(reserved.error().message.find("metadata.name: Forbidden"), std::string::npos) << reserved.error().message;
  auto large = create_class("large", 1'000'000'001);
  ASSERT_FALSE(large.ok());
  EXPECT_NE(large.error().message.find("value: Forbidden"), std::string::npos) << large.error().message;
  EXPECT_TRUE(create_class("system-node-critical", 2'000'001'000).ok());
}

}  // namespace
}  // namespace stead::apiserver
