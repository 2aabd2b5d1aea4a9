#include "network/service_proxy/service_proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "loop/simulated_loop.h"
#include "network/service_proxy/kernel_adapter.h"
#include "network/service_proxy/test_documents.h"

namespace stead::network::service_proxy {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

struct FakeKernel final : KernelAdapter {
  Result<void> apply(const Change& change) override {
    changes.push_back(change);
    if (failures == 0) return {};
    --failures;
    return make_error(Reason::kInternal, "no");
  }
  std::vector<Change> changes;
  int failures = 0;
};

class ServiceProxyTest : public testing::Test {
 protected:
  ServiceProxyTest() {
    api_.put({"", "services"}, service_document("web", "clusterIP: 10.43.0.5, ports: [{port: 80}]"));
    put_slice("10.42.0.2");
    EXPECT_TRUE(proxy_.start().ok());
  }
  void put_slice(const std::string& address) {
    api_.put({"discovery.k8s.io", "endpointslices"},
             slice_document("web", "{port: 8080}", "{addresses: [" + address + "]}"));
  }
  bool settles() {
    return simulation_.run_until([this] { return proxy_.settled(); }, 10s);
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  client::FakeApi api_{loop_};
  std::shared_ptr<FakeKernel> kernel_ = std::make_shared<FakeKernel>();
  ServiceProxy proxy_{api_, loop_, simulation_.worker_pool(), kernel_,
                      ServiceProxyOptions{"node1", {"10.42.0.0/16"}, {"10.43.0.0/16"}, {"10.43.0.1"}}};
};

TEST_F(ServiceProxyTest, OneTransactionForTheFirstListsThenDifferences) {
  ASSERT_TRUE(settles());
  ASSERT_EQ(kernel_->changes.size(), 1u);
  EXPECT_THAT(kernel_->changes[0].commands, StartsWith("add table ip stead-services"));
  put_slice("10.42.0.3");
  simulation_.run_for(1ms);
  ASSERT_TRUE(settles());
  ASSERT_EQ(kernel_->changes.size(), 2u);
  EXPECT_THAT(kernel_->changes[1].commands, HasSubstr("10.42.0.3"));
  EXPECT_THAT(kernel_->changes[1].commands, Not(HasSubstr("table")));
}

TEST_F(ServiceProxyTest, AfterAnErrorEverythingIsMadeAnew) {
  ASSERT_TRUE(settles());
  kernel_->failures = 2;
  put_slice("10.42.0.3");
  simulation_.run_for(1ms);
  EXPECT_FALSE(proxy_.settled());
  ASSERT_TRUE(settles());
  ASSERT_EQ(kernel_->changes.size(), 4u);
  EXPECT_THAT(kernel_->changes[3].commands, StartsWith("add table ip stead-services"));
  EXPECT_THAT(kernel_->changes[3].commands, HasSubstr("10.42.0.3"));
}

TEST_F(ServiceProxyTest, BadOptionIsNamed) {
  ServiceProxy bad(api_, loop_, simulation_.worker_pool(), kernel_, {.pod_cidrs = {"10.42.0.0"}});
  const Result<void> started = bad.start();
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message, HasSubstr("10.42.0.0"));
}

}  // namespace
}  // namespace stead::network::service_proxy
