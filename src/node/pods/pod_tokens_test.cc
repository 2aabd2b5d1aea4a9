// Service account tokens of pods: asked for, written, and renewed before they end, on virtual time.

#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "loop/simulated_loop.h"
#include "node/node.h"
#include "node/runtime/fake_runtime.h"

namespace stead::node {
namespace {

using namespace std::chrono_literals;
using client::Request;
using client::Response;
using object::Value;

const client::ResourceRef kPods{"", "pods"};

// The fake API with TokenRequest: tokens are numbered.
class TokenApi final : public client::ApiTransport {
 public:
  explicit TokenApi(loop::Loop& loop) : objects(loop), loop_(loop) {}
  void call(Request request, client::Callback done) override {
    if (request.subresource != "token") return objects.call(std::move(request), std::move(done));
    asked.push_back(request);
    Response response;
    Value status = Value::object({{"token", "token-" + std::to_string(asked.size())}});
    response.object = object::make_object(Value::object({{"status", std::move(status)}}), 0);
    Result<Response> answer = std::move(response);
    if (refusing) answer = make_error(Reason::kForbidden, "no account");
    loop_.post([done = std::move(done), answer] { done(answer); });
  }
  std::unique_ptr<client::Watch> watch(Request request, std::shared_ptr<client::WatchSink> sink) override {
    return objects.watch(std::move(request), std::move(sink));
  }

  client::FakeApi objects;
  std::vector<Request> asked;
  bool refusing = false;

 private:
  loop::Loop& loop_;
};

// Remembers the token file that was written last.
class TokenFiles final : public NoFiles {
 public:
  Result<void> set_up(const PodPaths&, const std::vector<VolumePlan>& volumes) override {
    for (const VolumePlan& volume : volumes) {
      for (const VolumeFile& file : volume.files) {
        if (file.path == "token") token = file.content;
      }
    }
    return {};
  }
  std::string token;
};

class PodTokensTest : public testing::Test {
 protected:
  PodTokensTest() : loop_(simulation_.make_loop()), api_(loop_), runtime_(loop_, {}) {
    NodeOptions options;
    options.node_name = "n1";
    options.node_ip = "192.0.2.1";
    options.data_dir = "/nowhere";
    node_ = std::make_unique<Node>(api_, loop_, simulation_.worker_pool(), runtime_, files_, dialer_, options);
    node_->start();
  }

  void run_pod() {
    Value source =
        Value::object({{"serviceAccountToken",
                        Value::object({{"path", "token"}, {"expirationSeconds", 1000}, {"audience", "vault"}})}});
    Value volume =
        Value::object({{"name", "v"}, {"projected", Value::object({{"sources", Value::array({std::move(source)})}})}});
    Value container = Value::object({{"name", "app"}, {"image", "busybox:1"}});
    api_.objects.put(kPods, Value::object({{"apiVersion", "v1"},
                                           {"kind", "Pod"},
                                           {"metadata", Value::object({{"name", "web"}, {"namespace", "default"}})},
                                           {"spec", Value::object({{"nodeName", "n1"},
                                                                   {"serviceAccountName", "finder"},
                                                                   {"containers", Value::array({std::move(container)})},
                                                                   {"volumes", Value::array({std::move(volume)})}})},
                                           {"status", Value::object({{"phase", "Pending"}})}}));
  }
  std::string phase() { return std::string(api_.objects.get(kPods, "default/web")->status().at("phase").as_string()); }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_;
  TokenApi api_;
  FakeRuntime runtime_;
  TokenFiles files_;
  AgreeableDialer dialer_;
  std::unique_ptr<Node> node_;
};

TEST_F(PodTokensTest, AreBoundToThePodAndRenewed) {
  run_pod();
  ASSERT_TRUE(simulation_.run_until([&] { return phase() == "Running"; }, 60s));
  ASSERT_EQ(api_.asked.size(), 1u);
  const Request& asked = api_.asked.front();
  EXPECT_EQ(asked.name, "finder");
  EXPECT_EQ(asked.ns, "default");
  const Value& spec = asked.body.at("spec");
  EXPECT_EQ(spec.at("expirationSeconds").as_int(), 1000);
  EXPECT_EQ(spec.at("audiences").items().front().as_string(), "vault");
  EXPECT_EQ(spec.at({"boundObjectRef", "name"}).as_string(), "web");
  EXPECT_EQ(spec.at({"boundObjectRef", "uid"}).as_string(), api_.objects.get(kPods, "default/web")->uid());
  EXPECT_EQ(files_.token, "token-1");
  simulation_.run_for(790s);
  EXPECT_EQ(files_.token, "token-1");
  // At 80 % of its life.
  simulation_.run_for(20s);
  EXPECT_EQ(files_.token, "token-2");
}

TEST_F(PodTokensTest, KeepsTheOldOneUntilThereIsANewOne) {
  run_pod();
  ASSERT_TRUE(simulation_.run_until([&] { return phase() == "Running"; }, 60s));
  api_.refusing = true;
  simulation_.run_for(850s);
  EXPECT_EQ(files_.token, "token-1");
  EXPECT_GE(api_.asked.size(), 2u);
  EXPECT_LE(api_.asked.size(), 5u);
  api_.refusing = false;
  simulation_.run_for(60s);
  EXPECT_NE(files_.token, "token-1");
}

TEST_F(PodTokensTest, NoneNoStart) {
  api_.refusing = true;
  run_pod();
  simulation_.run_for(10s);
  EXPECT_EQ(phase(), "Pending");
  api_.refusing = false;
  ASSERT_TRUE(simulation_.run_until([&] { return phase() == "Running"; }, 60s));
}

}  // namespace
}  // namespace stead::node
