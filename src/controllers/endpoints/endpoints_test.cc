#include <gtest/gtest.h>

#include <set>

#include "client/fake_api.h"
#include "controllers/endpoints/endpoints_controller.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

Value service(const std::string& name) {
  Value port = Value::object({{"name", "http"}, {"port", 80}, {"targetPort", "web"}, {"protocol", "TCP"}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Service"},
                        {"metadata", Value::object({{"name", name}, {"namespace", "default"}})},
                        {"spec", Value::object({{"clusterIP", "None"},
                                                {"selector", Value::object({{"app", "web"}})},
                                                {"ports", Value::array({port})}})}});
}

Value pod(int ordinal, bool ready) {
  std::string name = "web-" + std::to_string(ordinal);
  Value port = Value::object({{"name", "web"}, {"containerPort", 8080}, {"protocol", "TCP"}});
  Value container = Value::object({{"name", "c"}, {"ports", Value::array({port})}});
  Value condition = Value::object({{"type", "Ready"}, {"status", ready ? "True" : "False"}});
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Pod"},
       {"metadata",
        Value::object({{"name", name}, {"namespace", "default"}, {"labels", Value::object({{"app", "web"}})}})},
       {"spec", Value::object({{"hostname", name},
                               {"subdomain", "peers"},
                               {"nodeName", "node1"},
                               {"containers", Value::array({container})}})},
       {"status", Value::object({{"phase", "Running"},
                                 {"podIP", "10.42.0." + std::to_string(ordinal + 2)},
                                 {"conditions", Value::array({condition})}})}});
}

class EndpointsTest : public testing::Test {
 protected:
  EndpointsTest()
      : simulation(5),
        loop(simulation.make_loop()),
        api(loop),
        events(api, loop, "endpoints"),
        informers(api, loop),
        controller(api, loop, events, informers) {
    informers.start();
    controller.start();
    simulation.run_for(1ms);
  }
  void add(const client::ResourceRef& resource, Value document) {
    api.put(resource, std::move(document));
    simulation.run_for(100us);
  }
  std::vector<Value> all_endpoints() const {
    std::vector<Value> all;
    for (const ObjectPtr& slice : api.list(kEndpointSlices)) {
      for (const Value& endpoint : slice->document().at("endpoints").items()) all.push_back(endpoint);
    }
    return all;
  }

  loop::Simulation simulation;
  loop::Loop& loop;
  client::FakeApi api;
  client::EventRecorder events;
  client::InformerSet informers;
  EndpointsController controller;
};

TEST_F(EndpointsTest, ASliceNamesEachPod) {
  add(kServices, service("peers"));
  ASSERT_EQ(api.list(kEndpointSlices).size(), 1U) << "an empty one";
  add(kPods, pod(0, true));
  add(kPods, pod(1, false));
  ASSERT_EQ(api.list(kEndpointSlices).size(), 1U);
  const Value& slice = api.list(kEndpointSlices)[0]->document();
  EXPECT_EQ(slice.at({"metadata", "labels", "kubernetes.io/service-name"}).as_string(), "peers");
  EXPECT_EQ(slice.at({"metadata", "labels", "endpointslice.kubernetes.io/managed-by"}).as_string(),
            "endpointslice-controller.k8s.io");
  EXPECT_EQ(slice.at("addressType").as_string(), "IPv4");
  EXPECT_EQ(slice.at("ports").items()[0].at("port").as_int(), 8080);
  std::vector<Value> endpoints = all_endpoints();
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0].at("hostname").as_string(), "web-0");
  EXPECT_EQ(endpoints[0].at("nodeName").as_string(), "node1");
  EXPECT_EQ(endpoints[0].at({"targetRef", "name"}).as_string(), "web-0");
  EXPECT_TRUE(endpoints[0].at({"conditions", "ready"}).as_bool());
  EXPECT_FALSE(endpoints[1].at({"conditions", "ready"}).as_bool());
}

TEST_F(EndpointsTest, TheOldObjectSaysTheSame) {
  add(kServices, service("peers"));
  add(kPods, pod(0, true));
  add(kPods, pod(1, false));
  ObjectPtr object = api.get(kEndpoints, "default/peers");
  ASSERT_TRUE(object);
  const Value& subset = object->document().at("subsets").items()[0];
  EXPECT_EQ(subset.at("addresses").items()[0].at("hostname").as_string(), "web-0");
  EXPECT_EQ(subset.at("notReadyAddresses").items()[0].at("ip").as_string(), "10.42.0.3");
  EXPECT_EQ(subset.at("ports").items()[0].at("name").as_string(), "http");
  api.remove(kServices, "default/peers");
  simulation.run_for(1ms);
  EXPECT_FALSE(api.get(kEndpoints, "default/peers"));
}

TEST_F(EndpointsTest, PublishNotReadyMakesEveryoneReady) {
  Value document = service("peers");
  document.set({"spec", "publishNotReadyAddresses"}, true);
  add(kServices, document);
  add(kPods, pod(1, false));
  EXPECT_TRUE(all_endpoints().at(0).at({"conditions", "ready"}).as_bool());
  EXPECT_FALSE(all_endpoints().at(0).at({"conditions", "serving"}).as_bool());
}

TEST_F(EndpointsTest, OtherServicesGiveNoHostname) {
  add(kServices, service("others"));
  add(kPods, pod(0, true));
  EXPECT_EQ(all_endpoints().at(0).find("hostname"), nullptr);
}

TEST_F(EndpointsTest, TerminatingPodsAreMarkedAndFinishedOnesLeave) {
  add(kServices, service("peers"));
  add(kPods, pod(0, true));
  api.change(kPods, "default/web-0", [](Value& pod) {
    pod.set({"metadata", "deletionTimestamp"}, "2026-01-01T00:00:00Z");
  });
  simulation.run_for(100us);
  EXPECT_TRUE(all_endpoints().at(0).at({"conditions", "terminating"}).as_bool());
  EXPECT_FALSE(all_endpoints().at(0).at({"conditions", "ready"}).as_bool());
  EXPECT_TRUE(api.get(kEndpoints, "default/peers")->document().at("subsets").empty());
  api.remove(kPods, "default/web-0");
  simulation.run_for(100us);
  EXPECT_TRUE(all_endpoints().empty());
}

TEST_F(EndpointsTest, ServicesWithoutSelectorAreLeftAlone) {
  Value document = service("manual");
  document["spec"].erase("selector");
  add(kServices, document);
  EXPECT_TRUE(api.list(kEndpointSlices).empty());
  EXPECT_FALSE(api.get(kEndpoints, "default/manual"));
}

TEST_F(EndpointsTest, ManyPodsAreSplitAndAChangeTouchesOneSlice) {
  add(kServices, service("peers"));
  for (int i = 0; i < 250; ++i) api.put(kPods, pod(i, true));
  simulation.run_for(1s);
  EXPECT_EQ(all_endpoints().size(), 250U);
  for (const ObjectPtr& slice : api.list(kEndpointSlices)) {
    EXPECT_LE(slice->document().at("endpoints").size(), 100U);
  }
  api.calls.clear();
  api.change(kPods, "default/web-7",
             [](Value& pod) { pod["status"]["conditions"].mutable_items()[0].set("status", "False"); });
  simulation.run_for(1s);
  int slice_writes = 0;
  for (const client::Request& call : api.calls) slice_writes += call.resource == "endpointslices" ? 1 : 0;
  EXPECT_EQ(slice_writes, 1);
}

}  // namespace
}  // namespace stead::controllers
