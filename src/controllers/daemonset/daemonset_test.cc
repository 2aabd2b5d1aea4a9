// The DaemonSet controller on an API of a few lines, with nodes that come, go and are tainted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "client/fake_api.h"
#include "controllers/daemonset/daemonset_controller.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

Value agent_set() {
  Value labels = Value::object({{"app", "agent"}});
  Value spec = Value::object({{"selector", Value::object({{"matchLabels", labels}})},
                              {"updateStrategy", Value::object({{"type", "RollingUpdate"}})},
                              {"revisionHistoryLimit", 2}});
  spec.set({"updateStrategy", "rollingUpdate"}, Value::object({{"maxUnavailable", 1}, {"maxSurge", 0}}));
  spec.set({"template", "metadata", "labels"}, labels);
  spec.set({"template", "spec", "containers"}, Value::array({Value::object({{"name", "c"}, {"image", "one"}})}));
  return Value::object({{"apiVersion", "apps/v1"},
                        {"kind", "DaemonSet"},
                        {"metadata", Value::object({{"name", "agent"}, {"namespace", "default"}, {"generation", 1}})},
                        {"spec", std::move(spec)}});
}

class DaemonSetTest : public testing::Test {
 protected:
  void add_node(const std::string& name, Value labels = Value::object()) {
    api.put(kNodes, Value::object({{"apiVersion", "v1"},
                                   {"kind", "Node"},
                                   {"metadata", Value::object({{"name", name}, {"labels", std::move(labels)}})},
                                   {"spec", Value::object()}}));
  }
  void taint(const std::string& node, std::string_view effect) {
    Value all = Value::array({Value::object({{"key", "dedicated"}, {"effect", effect}})});
    api.change(kNodes, node, [&](Value& document) { document.set({"spec", "taints"}, all); });
    settle();
  }
  void start(Value set, int nodes) {
    for (int i = 0; i < nodes; ++i) add_node("n" + std::to_string(i));
    api.put(kDaemonSets, std::move(set));
    informers.start();
    controller.start();
    settle();
  }
  void settle() { simulation.run_for(10ms); }
  std::vector<ObjectPtr> live() const {
    std::vector<ObjectPtr> all = api.list(kPods);
    std::erase_if(all, [](const ObjectPtr& pod) { return pod->deleting(); });
    return all;
  }
  std::set<std::string> nodes_with_pods() const {
    std::set<std::string> nodes;
    for (const ObjectPtr& pod : live()) nodes.emplace(daemonset::node_of(*pod));
    return nodes;
  }
  std::string image_of(const ObjectPtr& pod) const {
    return std::string(pod->spec().at("containers").items()[0].at("image").as_string());
  }
  void make_ready(const ObjectPtr& pod) {
    api.change(kPods, client::object_key(*pod), [&](Value& document) {
      document.set({"status", "phase"}, "Running");
      document.set(
          {"status", "conditions"},
          Value::array({Value::object(
              {{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", object::format_time(loop.wall_now())}})}));
    });
    settle();
  }
  void make_all_ready() {
    for (const ObjectPtr& pod : live()) make_ready(pod);
  }
  void change_set(std::initializer_list<std::string_view> path, Value value) {
    api.change(kDaemonSets, "default/agent", [&](Value& set) { set.set(path, std::move(value)); });
    settle();
  }
  void change_image(std::string_view image) {
    change_set({"spec", "template", "spec", "containers"},
               Value::array({Value::object({{"name", "c"}, {"image", image}})}));
  }
  const Value& status() const { return api.get(kDaemonSets, "default/agent")->status(); }
  int64_t count(std::string_view name) const { return status().at(name).as_int(); }

  loop::Simulation simulation{1};
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::EventRecorder events{api, loop, "daemonset-controller"};
  client::InformerSet informers{api, loop};
  DaemonSetController controller{api, loop, events, informers};
};

TEST_F(DaemonSetTest, OnePodOnEachNode) {
  start(agent_set(), 3);
  EXPECT_EQ(live().size(), 3U);
  EXPECT_EQ(nodes_with_pods(), (std::set<std::string>{"n0", "n1", "n2"}));
  EXPECT_EQ(count("desiredNumberScheduled"), 3);
  EXPECT_EQ(count("currentNumberScheduled"), 3);
  EXPECT_EQ(count("updatedNumberScheduled"), 3);
  EXPECT_EQ(count("numberReady"), 0);
  EXPECT_EQ(count("numberUnavailable"), 3);
  make_all_ready();
  EXPECT_EQ(count("numberReady"), 3);
  EXPECT_EQ(count("numberAvailable"), 3);
  add_node("n3");
  settle();
  EXPECT_EQ(live().size(), 4U);
  api.remove(kNodes, "n3");
  settle();
  EXPECT_EQ(live().size(), 3U) << "the one that waited for a node that is gone";
}

TEST_F(DaemonSetTest, OnlyNodesThatFit) {
  Value set = agent_set();
  set.set({"spec", "template", "spec", "nodeSelector"}, Value::object({{"disk", "ssd"}}));
  add_node("fast", Value::object({{"disk", "ssd"}}));
  start(std::move(set), 2);
  EXPECT_EQ(nodes_with_pods(), (std::set<std::string>{"fast"}));
  api.change(kNodes, "n1", [](Value& node) { node.set({"metadata", "labels", "disk"}, "ssd"); });
  settle();
  EXPECT_EQ(nodes_with_pods(), (std::set<std::string>{"fast", "n1"}));
  api.change(kNodes, "fast", [](Value& node) { node.set({"metadata", "labels", "disk"}, "tape"); });
  settle();
  EXPECT_EQ(nodes_with_pods(), (std::set<std::string>{"n1"}));
}

TEST_F(DaemonSetTest, TaintsKeepNewPodsAwayAndDriveOldOnesOut) {
  start(agent_set(), 2);
  taint("n0", "NoSchedule");
  EXPECT_EQ(nodes_with_pods().size(), 2U) << "what runs may stay";
  EXPECT_EQ(count("desiredNumberScheduled"), 1);
  EXPECT_EQ(count("numberMisscheduled"), 1);
  taint("n0", "NoExecute");
  EXPECT_EQ(nodes_with_pods(), (std::set<std::string>{"n1"}));
}

TEST_F(DaemonSetTest, ToleratesTroubleOfNodes) {
  start(agent_set(), 1);
  std::set<std::string> keys;
  for (const Value& toleration : live()[0]->spec().at("tolerations").items())
    keys.emplace(toleration.at("key").as_string());
  EXPECT_TRUE(keys.contains("node.kubernetes.io/unschedulable"));
  EXPECT_TRUE(keys.contains("node.kubernetes.io/not-ready"));
  EXPECT_FALSE(keys.contains("node.kubernetes.io/network-unavailable")) << "only on the host's network";
}

TEST_F(DaemonSetTest, RollsOneNodeAfterTheOther) {
  start(agent_set(), 3);
  make_all_ready();
  change_image("two");
  for (int step = 0; step < 20; ++step) {
    int ready = 0;
    for (const ObjectPtr& pod : live()) {
      ready += !pod->status().at("conditions").empty();
    }
    EXPECT_GE(ready, 2) << "one at a time";
    for (const ObjectPtr& pod : live()) {
      if (pod->status().at("conditions").empty()) {
        make_ready(pod);
        break;
      }
    }
  }
  for (const ObjectPtr& pod : live()) EXPECT_EQ(image_of(pod), "two");
  EXPECT_EQ(count("updatedNumberScheduled"), 3);
  EXPECT_EQ(api.list(kRevisions).size(), 2U);
}

TEST_F(DaemonSetTest, SurgesBeforeItEndsTheOld) {
  Value set = agent_set();
  set.set({"spec", "updateStrategy", "rollingUpdate"}, Value::object({{"maxUnavailable", 0}, {"maxSurge", 1}}));
  start(std::move(set), 2);
  make_all_ready();
  change_image("two");
  EXPECT_EQ(live().size(), 3U);
  for (const ObjectPtr& pod : live()) {
    if (image_of(pod) == "two") make_ready(pod);
  }
  EXPECT_EQ(live().size(), 3U) << "the second node's turn";
  make_all_ready();
  EXPECT_EQ(live().size(), 2U);
  for (const ObjectPtr& pod : live()) EXPECT_EQ(image_of(pod), "two");
}

TEST_F(DaemonSetTest, OnDeleteWaits) {
  Value set = agent_set();
  set.set({"spec", "updateStrategy"}, Value::object({{"type", "OnDelete"}}));
  start(std::move(set), 2);
  make_all_ready();
  change_image("two");
  for (const ObjectPtr& pod : live()) EXPECT_EQ(image_of(pod), "one");
  EXPECT_EQ(count("updatedNumberScheduled"), 0);
  api.remove(kPods, client::object_key(*live()[0]));
  settle();
  std::set<std::string> images;
  for (const ObjectPtr& pod : live()) images.insert(image_of(pod));
  EXPECT_EQ(images, (std::set<std::string>{"one", "two"}));
}

TEST_F(DaemonSetTest, FailedPodsAreReplacedEverLater) {
  start(agent_set(), 1);
  auto fail = [&] {
    api.change(kPods, client::object_key(*live()[0]), [](Value& pod) { pod.set({"status", "phase"}, "Failed"); });
    settle();
  };
  std::string first(live()[0]->uid());
  fail();
  ASSERT_EQ(live().size(), 1U);
  std::string second(live()[0]->uid());
  EXPECT_NE(second, first) << "the first failure costs no time";
  fail();
  EXPECT_EQ(live()[0]->uid(), second);
  simulation.run_for(2s);
  ASSERT_EQ(live().size(), 1U);
  EXPECT_NE(live()[0]->uid(), second);
}

TEST_F(DaemonSetTest, GoingBackReusesTheRevision) {
  start(agent_set(), 1);
  std::string hash(statefulset::revision_of(*live()[0]));
  change_image("two");
  simulation.run_for(1s);
  EXPECT_NE(statefulset::revision_of(*live()[0]), hash);
  change_image("one");
  simulation.run_for(1s);
  EXPECT_EQ(statefulset::revision_of(*live()[0]), hash);
  EXPECT_EQ(api.list(kRevisions).size(), 2U);
}

}  // namespace
}  // namespace stead::controllers
