#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/namespaces/namespace_controller.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

class NamespaceTest : public testing::Test {
 protected:
  NamespaceTest()
      : simulation(2),
        loop(simulation.make_loop()),
        api(loop),
        events(api, loop, "namespaces"),
        informers(api, loop),
        controller(api, loop, events, informers,
                   {{kPods, "Pod", true},
                    {kConfigMaps, "ConfigMap", true},
                    {kServiceAccounts, "ServiceAccount", true},
                    {kNodes, "Node", false}},
                   "CA") {
    informers.start();
    controller.start();
    settle();
  }
  void settle() { simulation.run_for(1ms); }
  void make_deleting(const std::string& name) {
    api.change(kNamespaces, name, [](Value& ns) {
      ns.set({"metadata", "deletionTimestamp"}, "2026-01-01T00:00:00Z");
      ns.set({"spec", "finalizers"}, Value::array({"kubernetes"}));
    });
    settle();
  }
  bool finalized(const std::string& name) {
    for (const client::Request& call : api.calls) {
      if (call.subresource == "finalize" && call.name == name) return call.body.at({"spec", "finalizers"}).empty();
    }
    return false;
  }

  loop::Simulation simulation;
  loop::Loop& loop;
  client::FakeApi api;
  client::EventRecorder events;
  client::InformerSet informers;
  NamespaceController controller;
};

TEST_F(NamespaceTest, TheStandardOnesAreThereWithTheirContents) {
  for (const std::string name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    EXPECT_TRUE(api.get(kNamespaces, name)) << name;
    EXPECT_TRUE(api.get(kServiceAccounts, name + "/default")) << name;
    ObjectPtr root_ca = api.get(kConfigMaps, name + "/kube-root-ca.crt");
    ASSERT_TRUE(root_ca) << name;
    EXPECT_EQ(root_ca->document().at({"data", "ca.crt"}).as_string(), "CA");
  }
}

TEST_F(NamespaceTest, WhatIsTakenAwayOrSpoiltComesBack) {
  api.remove(kServiceAccounts, "default/default");
  api.change(kConfigMaps, "default/kube-root-ca.crt", [](Value& map) { map.set({"data", "ca.crt"}, "other"); });
  settle();
  EXPECT_TRUE(api.get(kServiceAccounts, "default/default"));
  EXPECT_EQ(api.get(kConfigMaps, "default/kube-root-ca.crt")->document().at({"data", "ca.crt"}).as_string(), "CA");
}

TEST_F(NamespaceTest, ADeletedOneIsEmptiedThenFinalized) {
  Value pod = Value::object({{"metadata", Value::object({{"name", "p"}, {"namespace", "default"}})}});
  pod.set({"spec", "nodeName"}, "node1");
  api.put(kPods, pod);
  settle();
  make_deleting("default");
  EXPECT_TRUE(api.get(kPods, "default/p")->deleting());
  EXPECT_FALSE(api.get(kConfigMaps, "default/kube-root-ca.crt"));
  EXPECT_FALSE(finalized("default")) << "a pod is still ending";
  api.remove(kPods, "default/p");
  settle();
  EXPECT_TRUE(finalized("default"));
}

TEST_F(NamespaceTest, PodsOfSetsAreLeftToTheirOrder) {
  Value pod = Value::object({{"metadata", Value::object({{"name", "web-0"}, {"namespace", "default"}})}});
  pod["metadata"]["ownerReferences"].append(
      Value::object({{"kind", "StatefulSet"}, {"name", "web"}, {"uid", "u"}, {"controller", true}}));
  api.put(kPods, pod);
  settle();
  make_deleting("default");
  EXPECT_FALSE(api.get(kPods, "default/web-0")->deleting());
}

}  // namespace
}  // namespace stead::controllers
