#include "network/ingress/ingress_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "loop/simulated_loop.h"
#include "network/ingress/test_documents.h"

namespace stead::network::ingress {
namespace {

using client::ResourceRef;
using object::Value;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const ResourceRef kIngresses{"networking.k8s.io", "ingresses"};
const ResourceRef kClasses{"networking.k8s.io", "ingressclasses"};
const ResourceRef kServices{"", "services"};
const ResourceRef kSlices{"discovery.k8s.io", "endpointslices"};
const ResourceRef kEvents{"", "events"};

class FakeLoadBalancer final : public LoadBalancerAdapter {
 public:
  Result<void> apply(const Balancer& balancer) override {
    ++applies;
    if (failure) return *failure;
    applied = balancer;
    return {};
  }
  Result<void> stop() override {
    applied.reset();
    return {};
  }
  void on_end(std::function<void()> told) override { ended = std::move(told); }

  std::optional<Balancer> applied;
  std::optional<Error> failure;
  std::function<void()> ended;
  int applies = 0;
};

class IngressControllerTest : public testing::Test {
 protected:
  void SetUp() override {
    api_.put(kClasses, stead_class()->document());
    controller_.start();
    settle();
  }
  void settle() { simulation_.run_for(std::chrono::milliseconds(50)); }
  void put(const ResourceRef& resource, const object::ObjectPtr& object) { api_.put(resource, object->document()); }
  const Value& status() { return api_.get(kIngresses, "ns/a")->status().at({"loadBalancer", "ingress"}); }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  client::FakeApi api_{loop_};
  std::shared_ptr<FakeLoadBalancer> balancer_ = std::make_shared<FakeLoadBalancer>();
  IngressController controller_{api_, loop_, simulation_.worker_pool(), balancer_, "192.0.2.10"};
};

TEST_F(IngressControllerTest, RunsTheBalancerWhileThereIsAnIngress) {
  EXPECT_FALSE(balancer_->applied);
  put(kServices, service("web"));
  put(kSlices, slice("web", {{"10.42.0.5", ""}}));
  put(kIngresses, ingress("a", "defaultBackend: " + backend("web")));
  settle();
  ASSERT_TRUE(balancer_->applied);
  EXPECT_THAT(balancer_->applied->backends, ElementsAre(Pair("ns_web_80", ElementsAre(Server{"10.42.0.5", 8080}))));
  EXPECT_EQ(status(), Value::array({Value::object({{"ip", "192.0.2.10"}})}));
  EXPECT_TRUE(controller_.settled());

  put(kSlices, slice("web", {{"10.42.0.6", ""}}));
  settle();
  EXPECT_THAT(balancer_->applied->backends, ElementsAre(Pair("ns_web_80", ElementsAre(Server{"10.42.0.6", 8080}))));
  const int applies = balancer_->applies;
  put(kSlices, slice("other", {{"10.42.0.6", ""}}));
  settle();
  EXPECT_EQ(balancer_->applies, applies) << "nothing of ours has changed";

  api_.remove(kIngresses, "ns/a");
  settle();
  EXPECT_FALSE(balancer_->applied);
}

TEST_F(IngressControllerTest, AnIngressGivenAwayLosesOurAddress) {
  put(kIngresses, ingress("a", "defaultBackend: " + backend("web")));
  settle();
  ASSERT_EQ(status().size(), 1u);
  api_.change(kIngresses, "ns/a", [](Value& document) { document.set({"spec", "ingressClassName"}, "other"); });
  settle();
  EXPECT_TRUE(status().empty());
  EXPECT_FALSE(balancer_->applied);
}

TEST_F(IngressControllerTest, TellsWhatIsMissingOnce) {
  put(kIngresses, ingress("a", "defaultBackend: " + backend("web")));
  settle();
  auto events = api_.list(kEvents);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]->document().at("reason").as_string(), "ServiceNotFound");
  EXPECT_EQ(events[0]->document().at("type").as_string(), "Warning");
  ASSERT_TRUE(balancer_->applied);
  EXPECT_THAT(balancer_->applied->backends, ElementsAre(Pair("ns_web_80", IsEmpty())));
  put(kSlices, slice("web", {{"10.42.0.5", ""}}));
  settle();
  EXPECT_EQ(api_.list(kEvents)[0]->document().at("count").as_int(), 1);
}

TEST_F(IngressControllerTest, TriesAgainAfterFailureAndDeath) {
  balancer_->failure = make_error(Reason::kUnavailable, "port 80 is taken");
  put(kIngresses, ingress("a", "defaultBackend: " + backend("web")));
  simulation_.run_for(std::chrono::seconds(1));
  EXPECT_GE(balancer_->applies, 3);
  EXPECT_LE(balancer_->applies, 6) << "the back-off doubles";
  EXPECT_TRUE(status().empty()) << "not reached yet";
  balancer_->failure.reset();
  simulation_.run_for(std::chrono::seconds(10));
  ASSERT_TRUE(balancer_->applied);
  EXPECT_EQ(status().size(), 1u);
  const int applies = balancer_->applies;
  balancer_->ended();
  simulation_.run_for(std::chrono::seconds(40));
  EXPECT_EQ(balancer_->applies, applies + 1);
}

}  // namespace
}  // namespace stead::network::ingress
