#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/garbage/garbage_controller.h"
#include "controllers/garbage/lost_pods_controller.h"
#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

class GarbageTest : public testing::Test {
 protected:
  GarbageTest()
      : simulation(9),
        loop(simulation.make_loop()),
        api(loop),
        events(api, loop, "garbage"),
        informers(api, loop),
        garbage(api, loop, events, informers,
                {{kPods, "Pod", true},
                 {kConfigMaps, "ConfigMap", true},
                 {kReplicaSets, "ReplicaSet", true},
                 {kStatefulSets, "StatefulSet", true}}),
        lost(api, loop, events, informers) {
    informers.start();
    garbage.start();
    lost.start();
    settle();
  }
  void settle() { simulation.run_for(1ms); }
  ObjectPtr make(const client::ResourceRef& resource, std::string_view version, std::string_view kind,
                 const std::string& name, const std::vector<ObjectPtr>& owners = {}) {
    Value document = Value::object({{"apiVersion", version},
                                    {"kind", kind},
                                    {"metadata", Value::object({{"name", name}, {"namespace", "default"}})}});
    for (const ObjectPtr& owner : owners) {
      document["metadata"]["ownerReferences"].append(controller_reference(*owner));
    }
    ObjectPtr made = api.put(resource, std::move(document));
    settle();
    return made;
  }
  ObjectPtr make_set(const std::string& policy = "OrderedReady") {
    make(kStatefulSets, "apps/v1", "StatefulSet", "web");
    api.change(kStatefulSets, "default/web", [&](Value& set) { set.set({"spec", "podManagementPolicy"}, policy); });
    ObjectPtr set = api.get(kStatefulSets, "default/web");
    for (int i = 0; i < 3; ++i) {
      make(kPods, "v1", "Pod", "web-" + std::to_string(i), {set});
      api.change(kPods, "default/web-" + std::to_string(i), [](Value& pod) { pod.set({"spec", "nodeName"}, "node1"); });
    }
    settle();
    return set;
  }
  void remove(const client::ResourceRef& resource, const std::string& key, std::string_view propagation) {
    client::Request request = delete_request(resource, *api.get(resource, key));
    request.body.set("propagationPolicy", propagation);
    api.call(std::move(request), [](auto) {});
    settle();
  }
  bool exists(const client::ResourceRef& resource, const std::string& name) {
    return api.get(resource, "default/" + name) != nullptr;
  }
  bool terminating(int ordinal) {
    ObjectPtr pod = api.get(kPods, "default/web-" + std::to_string(ordinal));
    return pod && pod->deleting();
  }

  loop::Simulation simulation;
  loop::Loop& loop;
  client::FakeApi api;
  client::EventRecorder events;
  client::InformerSet informers;
  GarbageController garbage;
  LostPodsController lost;
};

class GarbageWithNodeTest : public GarbageTest {
 protected:
  GarbageWithNodeTest() {
    api.put(kNodes, Value::object({{"metadata", Value::object({{"name", "node1"}})}}));
    settle();
  }
};

TEST_F(GarbageWithNodeTest, ASetsPodsEndHighestFirstOneAtATime) {
  make_set();
  remove(kStatefulSets, "default/web", "Background");
  EXPECT_FALSE(exists(kStatefulSets, "web"));
  for (int i = 2; i >= 0; --i) {
    EXPECT_TRUE(terminating(i)) << i;
    for (int lower = 0; lower < i; ++lower) EXPECT_FALSE(terminating(lower)) << lower;
    api.remove(kPods, "default/web-" + std::to_string(i));
    settle();
  }
}

TEST_F(GarbageWithNodeTest, AParallelSetsPodsEndTogether) {
  make_set("Parallel");
  remove(kStatefulSets, "default/web", "Background");
  EXPECT_TRUE(terminating(0) && terminating(1) && terminating(2));
}

TEST_F(GarbageWithNodeTest, ForegroundWaitsForThePods) {
  make_set();
  remove(kStatefulSets, "default/web", "Foreground");
  for (int i = 2; i >= 0; --i) {
    EXPECT_TRUE(exists(kStatefulSets, "web"));
    EXPECT_TRUE(terminating(i)) << i;
    if (i > 0) {
      EXPECT_FALSE(terminating(i - 1));
    }
    api.remove(kPods, "default/web-" + std::to_string(i));
    settle();
  }
  EXPECT_FALSE(exists(kStatefulSets, "web"));
}

TEST_F(GarbageWithNodeTest, OrphanLeavesThePods) {
  make_set();
  remove(kStatefulSets, "default/web", "Orphan");
  EXPECT_FALSE(exists(kStatefulSets, "web"));
  EXPECT_FALSE(terminating(2));
  EXPECT_TRUE(api.get(kPods, "default/web-2")->metadata().at("ownerReferences").empty());
}

TEST_F(GarbageTest, ACircleOfOwnersDeletedInTheForegroundEnds) {
  for (int i = 0; i < 3; ++i) make(kConfigMaps, "v1", "ConfigMap", "c" + std::to_string(i));
  for (int i = 0; i < 3; ++i) {
    ObjectPtr owner = api.get(kConfigMaps, "default/c" + std::to_string((i + 2) % 3));
    api.change(kConfigMaps, "default/c" + std::to_string(i),
               [&](Value& map) { map["metadata"]["ownerReferences"].append(controller_reference(*owner)); });
  }
  settle();
  remove(kConfigMaps, "default/c0", "Foreground");
  simulation.run_for(1s);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(exists(kConfigMaps, "c" + std::to_string(i))) << i;
}

TEST_F(GarbageTest, OwnersAreToldApartByUid) {
  ObjectPtr owner = make(kReplicaSets, "apps/v1", "ReplicaSet", "owner");
  make(kConfigMaps, "v1", "ConfigMap", "kept", {owner});
  EXPECT_TRUE(exists(kConfigMaps, "kept"));
  Value impostor = owner->document();
  impostor.set({"metadata", "uid"}, "no-such-uid");
  make(kConfigMaps, "v1", "ConfigMap", "stray", {object::make_object(impostor, 1)});
  EXPECT_FALSE(exists(kConfigMaps, "stray"));
}

TEST_F(GarbageTest, ALivingOwnerKeepsTheObjectAndDeadOnesAreForgotten) {
  ObjectPtr first = make(kReplicaSets, "apps/v1", "ReplicaSet", "first");
  ObjectPtr second = make(kReplicaSets, "apps/v1", "ReplicaSet", "second");
  make(kConfigMaps, "v1", "ConfigMap", "shared", {first, second});
  remove(kReplicaSets, "default/first", "Background");
  ASSERT_TRUE(exists(kConfigMaps, "shared"));
  EXPECT_EQ(api.get(kConfigMaps, "default/shared")->metadata().at("ownerReferences").size(), 1U);
  remove(kReplicaSets, "default/second", "Background");
  EXPECT_FALSE(exists(kConfigMaps, "shared"));
}

TEST_F(GarbageTest, OwnersOfUnknownKindsAreNoReasonToDelete) {
  ObjectPtr alien =
      object::make_object(Value::object({{"apiVersion", "example.com/v1"},
                                         {"kind", "Alien"},
                                         {"metadata", Value::object({{"name", "alien"}, {"uid", "alien-uid"}})}}),
                          1);
  make(kConfigMaps, "v1", "ConfigMap", "mine", {alien});
  EXPECT_TRUE(exists(kConfigMaps, "mine"));
}

TEST_F(GarbageTest, PodsOfADeletedNodeAreRemoved) {
  api.put(kNodes, Value::object({{"metadata", Value::object({{"name", "node1"}})}}));
  make(kPods, "v1", "Pod", "p");
  api.change(kPods, "default/p", [](Value& pod) { pod.set({"spec", "nodeName"}, "node1"); });
  settle();
  EXPECT_TRUE(exists(kPods, "p"));
  api.remove(kNodes, "node1");
  settle();
  EXPECT_FALSE(exists(kPods, "p"));
}

}  // namespace
}  // namespace stead::controllers
