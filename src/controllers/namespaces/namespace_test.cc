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
                    {kStatefulSets, "StatefulSet", true},
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

  // A condition of namespace "default": "True message".
  std::string said(std::string_view type) {
    for (const Value& one : api.get(kNamespaces, "default")->status().at("conditions").items()) {
      if (one.at("type").as_string() != type) continue;
      return std::string(one.at("status").as_string()) + " " + std::string(one.at("message").as_string());
    }
    return "";
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
  EXPECT_TRUE(api.get(kConfigMaps, "default/kube-root-ca.crt")) << "pods go first";
  EXPECT_FALSE(finalized("default")) << "a pod is still ending";
  EXPECT_EQ(said("NamespaceContentRemaining"), "True Some resources are remaining: pods. has 1 resource instances");
  EXPECT_EQ(said("NamespaceFinalizersRemaining"), "False nothing is left");
  EXPECT_EQ(said("NamespaceDeletionContentFailure"), "False everything that could be was told to go");
  api.remove(kPods, "default/p");
  settle();
  EXPECT_FALSE(api.get(kConfigMaps, "default/kube-root-ca.crt"));
  EXPECT_TRUE(finalized("default"));
}

TEST_F(NamespaceTest, WhatAFinalizerHoldsIsTold) {
  Value map = Value::object({{"metadata", Value::object({{"name", "m"}, {"namespace", "default"}})}});
  map["metadata"].set("finalizers", Value::array({"example.com/hold"}));
  api.put(kConfigMaps, map);
  settle();
  make_deleting("default");
  EXPECT_EQ(said("NamespaceFinalizersRemaining"),
            "True Some finalizers are remaining: example.com/hold in 1 resource instances");
}

TEST_F(NamespaceTest, PodsOfASetEndHighestFirst) {
  Value set = Value::object({{"metadata", Value::object({{"name", "web"}, {"namespace", "default"}})}});
  std::string uid(api.put(kStatefulSets, set)->uid());
  for (const std::string name : {"web-0", "web-1"}) {
    Value pod = Value::object({{"metadata", Value::object({{"name", name}, {"namespace", "default"}})}});
    pod.set({"spec", "nodeName"}, "node1");
    pod["metadata"]["ownerReferences"].append(
        Value::object({{"kind", "StatefulSet"}, {"name", "web"}, {"uid", uid}, {"controller", true}}));
    api.put(kPods, pod);
  }
  settle();
  make_deleting("default");
  EXPECT_FALSE(api.get(kPods, "default/web-0")->deleting());
  EXPECT_TRUE(api.get(kPods, "default/web-1")->deleting());
  api.remove(kPods, "default/web-1");
  settle();
  EXPECT_TRUE(api.get(kPods, "default/web-0")->deleting());
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
