#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "client/fake_api.h"
#include "controllers/garbage/lost_pods_controller.h"
#include "controllers/node_lifecycle/eviction_policy.h"
#include "controllers/node_lifecycle/node_lifecycle_controller.h"
#include "controllers/node_lifecycle/taint_eviction_controller.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

const ResourceRef kLeases{"coordination.k8s.io", "leases"};

Value make_node(const std::string& name) {
  Value ready = Value::object({{"type", "Ready"},
                               {"status", "True"},
                               {"lastHeartbeatTime", "2025-01-01T00:00:00Z"},
                               {"lastTransitionTime", "2025-01-01T00:00:00Z"}});
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Node"},
                        {"metadata", Value::object({{"name", name}})},
                        {"spec", Value::object()},
                        {"status", Value::object({{"conditions", Value::array({std::move(ready)})}})}});
}

Value toleration(const char* taint, int64_t seconds) {
  return Value::object({{"key", std::string("node.kubernetes.io/") + taint},
                        {"operator", "Exists"},
                        {"effect", "NoExecute"},
                        {"tolerationSeconds", seconds}});
}

Value make_pod(const std::string& name, const std::string& node, int64_t seconds = 300) {
  Value ready = Value::object({{"type", "Ready"}, {"status", "True"}});
  Value tolerations = Value::array({toleration("not-ready", seconds), toleration("unreachable", seconds)});
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Pod"},
       {"metadata", Value::object({{"name", name}, {"namespace", "default"}})},
       {"spec", Value::object({{"nodeName", node}, {"tolerations", std::move(tolerations)}})},
       {"status", Value::object({{"phase", "Running"}, {"conditions", Value::array({std::move(ready)})}})}});
}

class NodeLifecycleTest : public testing::Test {
 protected:
  NodeLifecycleTest()
      : simulation(3),
        loop(simulation.make_loop()),
        api(loop),
        events(api, loop, "node-controller"),
        informers(api, loop),
        lifecycle(api, loop, events, informers, {}),
        eviction(api, loop, events, informers),
        lost_pods(api, loop, events, informers) {}

  void start(int nodes) {
    for (int i = 1; i <= nodes; ++i) {
      api.put(kNodes, make_node(name_of(i)));
      beat(i);
    }
    lifecycle.start();
    eviction.start();
    lost_pods.start();
    informers.start();
    simulation.run_for(1ms);
  }
  static std::string name_of(int number) { return "n" + std::to_string(number); }
  void beat(int number) {
    std::string name = name_of(number);
    api.put(kLeases,
            Value::object({{"metadata", Value::object({{"name", name}, {"namespace", "kube-node-lease"}})},
                           {"spec", Value::object({{"renewTime", object::format_micro_time(loop.wall_now())}})}}));
  }
  // So many seconds pass, in which the nodes from `first` on are heard.
  void pass(int seconds, int first, int last) {
    for (int second = 0; second < seconds; ++second) {
      if (second % 10 == 0) {
        for (int i = first; i <= last; ++i) beat(i);
      }
      simulation.run_for(1s);
    }
  }
  // As a node part that is back would.
  void report_ready(int number) {
    beat(number);
    api.change(kNodes, name_of(number), [this](Value& node) {
      for (Value& condition : node["status"]["conditions"].mutable_items()) {
        condition.set("status", condition.at("type").as_string() == "Ready" ? "True" : "False");
        condition.set("lastHeartbeatTime", object::format_time(loop.wall_now()));
      }
    });
    simulation.run_for(1ms);
  }
  std::string ready(int number) { return std::string(node_lifecycle::ready_status(*api.get(kNodes, name_of(number)))); }
  std::set<std::string> taints(int number) {
    std::set<std::string> all;
    for (const Value& taint : api.get(kNodes, name_of(number))->spec().at("taints").items()) {
      std::string key(taint.at("key").as_string());
      all.insert(key.substr(key.find('/') + 1) + ":" + std::string(taint.at("effect").as_string()));
    }
    return all;
  }
  ObjectPtr pod(const std::string& name) { return api.get(kPods, "default/" + name); }

  loop::Simulation simulation;
  loop::Loop& loop;
  client::FakeApi api;
  client::EventRecorder events;
  client::InformerSet informers;
  NodeLifecycleController lifecycle;
  TaintEvictionController eviction;
  LostPodsController lost_pods;
};

using Set = std::set<std::string>;

TEST_F(NodeLifecycleTest, SilenceMakesANodeUnknownAndItsPodsNotReady) {
  start(3);
  api.put(kPods, make_pod("web-0", "n1"));
  api.put(kPods, make_pod("web-1", "n2"));
  pass(45, 2, 3);
  EXPECT_EQ(ready(1), "True");
  pass(10, 2, 3);
  EXPECT_EQ(ready(1), "Unknown");
  EXPECT_EQ(taints(1), (Set{"unreachable:NoSchedule", "unreachable:NoExecute"}));
  EXPECT_EQ(taints(2), Set{});
  EXPECT_FALSE(is_ready(*pod("web-0")));
  EXPECT_TRUE(is_ready(*pod("web-1")));
}

TEST_F(NodeLifecycleTest, AfterTheTimeOutPodsEndAsNodeLostAndStay) {
  start(3);
  api.put(kPods, make_pod("web-0", "n1", 30));
  pass(70, 2, 3);
  EXPECT_FALSE(pod("web-0")->deleting());
  pass(30, 2, 3);
  ASSERT_NE(pod("web-0"), nullptr);
  EXPECT_TRUE(pod("web-0")->deleting());
  EXPECT_EQ(pod("web-0")->status().at("reason").as_string(), "NodeLost");
  pass(3600, 2, 3);
  EXPECT_NE(pod("web-0"), nullptr) << "only its node or a person may remove it";
}

TEST_F(NodeLifecycleTest, ANodeThatReturnsInTimeKeepsItsPods) {
  start(3);
  api.put(kPods, make_pod("web-0", "n1", 30));
  pass(65, 2, 3);
  EXPECT_EQ(ready(1), "Unknown");
  report_ready(1);
  EXPECT_EQ(taints(1), Set{});
  pass(600, 1, 3);
  EXPECT_FALSE(pod("web-0")->deleting());
}

TEST_F(NodeLifecycleTest, NotReadyAndUnreachableAreDifferentTaints) {
  start(3);
  api.change(kNodes, "n1", [](Value& node) { node["status"]["conditions"].mutable_items()[0].set("status", "False"); });
  pass(1, 1, 3);
  EXPECT_EQ(taints(1), (Set{"not-ready:NoSchedule", "not-ready:NoExecute"}));
  pass(60, 2, 3);
  EXPECT_EQ(taints(1), (Set{"unreachable:NoSchedule", "unreachable:NoExecute"}));
}

TEST_F(NodeLifecycleTest, WhenNobodyIsHeardNobodyIsEvicted) {
  start(3);
  for (int i = 1; i <= 3; ++i) api.put(kPods, make_pod("web-" + std::to_string(i), name_of(i), 1));
  pass(600, 1, 0);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(taints(i), Set{"unreachable:NoSchedule"});
    EXPECT_FALSE(pod("web-" + std::to_string(i))->deleting());
  }
  // One is back: now the others are lost.
  report_ready(1);
  pass(60, 1, 1);
  EXPECT_TRUE(pod("web-2")->deleting());
  EXPECT_TRUE(pod("web-3")->deleting());
  EXPECT_FALSE(pod("web-1")->deleting());
}

TEST_F(NodeLifecycleTest, EvictionsAreRateLimited) {
  start(5);
  pass(55, 3, 5);
  EXPECT_EQ(taints(1).size() + taints(2).size(), 3U) << "one has NoExecute, the other waits its turn";
  pass(12, 3, 5);
  EXPECT_EQ(taints(1).size() + taints(2).size(), 4U);
}

TEST_F(NodeLifecycleTest, CordonIsATaint) {
  start(1);
  api.change(kNodes, "n1", [](Value& node) { node["spec"].set("unschedulable", true); });
  pass(1, 1, 1);
  EXPECT_EQ(taints(1), Set{"unschedulable:NoSchedule"});
  api.change(kNodes, "n1", [](Value& node) { node["spec"].erase("unschedulable"); });
  pass(1, 1, 1);
  EXPECT_EQ(taints(1), Set{});
}

TEST_F(NodeLifecycleTest, OutOfServiceRemovesWhatEndsThere) {
  start(3);
  api.put(kPods, make_pod("web-0", "n1"));
  auto taint = [](Value& node) {
    node["spec"]["taints"].append(
        Value::object({{"key", "node.kubernetes.io/out-of-service"}, {"effect", "NoExecute"}, {"value", "x"}}));
  };
  api.change(kNodes, "n2", taint);
  api.put(kPods, make_pod("web-1", "n2"));
  pass(60, 2, 3);
  ASSERT_NE(pod("web-1"), nullptr) << "its node is ready: it will end the pod itself";
  EXPECT_TRUE(pod("web-1")->deleting());
  api.change(kNodes, "n1", taint);
  pass(1, 2, 3);
  EXPECT_EQ(pod("web-0"), nullptr);
}

TEST_F(NodeLifecycleTest, DeletingTheNodeRemovesItsPods) {
  start(3);
  api.put(kPods, make_pod("web-0", "n1", 1));
  pass(60, 2, 3);
  EXPECT_TRUE(pod("web-0")->deleting());
  api.remove(kNodes, "n1");
  pass(1, 2, 3);
  EXPECT_EQ(pod("web-0"), nullptr);
}

TEST(EvictionPolicy, TheShortestTolerationDecides) {
  Value node = make_node("n1");
  auto add_taint = [&](const char* key) {
    node["spec"]["taints"].append(Value::object({{"key", std::string("node.kubernetes.io/") + key},
                                                 {"effect", "NoExecute"},
                                                 {"timeAdded", "2025-01-01T00:00:00Z"}}));
  };
  add_taint("unreachable");
  WallTime added = *object::parse_time("2025-01-01T00:00:00Z");
  auto decide_at = [&](Value pod, std::chrono::seconds after) {
    eviction::Observed observed{object::make_object(std::move(pod), 1), object::make_object(node, 1),
                                [&](const Value&) { return added; }};
    return eviction::decide(observed, added + after);
  };
  EXPECT_EQ(decide_at(make_pod("p", "n1", 30), 10s).look_again, Duration(20s));
  EXPECT_EQ(decide_at(make_pod("p", "n1", 30), 30s).steps.size(), 2U);
  Value forever = make_pod("p", "n1");
  forever["spec"].set("tolerations", Value::array({Value::object({{"operator", "Exists"}})}));
  EXPECT_TRUE(decide_at(forever, 3600s).steps.empty());
  EXPECT_FALSE(decide_at(forever, 3600s).look_again);
  add_taint("other");
  EXPECT_EQ(decide_at(make_pod("p", "n1", 30), 0s).steps.size(), 2U) << "one taint is not tolerated at all";
}

TEST(NodeHealthPolicy, ZonesSlowDownAndStop) {
  using node_lifecycle::eviction_interval;
  EXPECT_EQ(eviction_interval({.ready = 2, .not_ready = 1}), Duration(10s));
  EXPECT_EQ(eviction_interval({.ready = 1, .not_ready = 2}), Duration(10s)) << "fewer than three tell nothing";
  EXPECT_EQ(eviction_interval({.ready = 2, .not_ready = 3}), std::nullopt);
  EXPECT_EQ(eviction_interval({.ready = 20, .not_ready = 40}), Duration(100s));
  EXPECT_EQ(eviction_interval({.ready = 0, .not_ready = 40}), Duration(10s)) << "another zone may be well";
}

}  // namespace
}  // namespace stead::controllers
