#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <set>

#include "client/fake_api.h"
#include "loop/simulated_loop.h"

namespace stead::scheduler {
namespace {

using namespace std::chrono_literals;

const client::ResourceRef kPods{"", "pods"};
const client::ResourceRef kNodes{"", "nodes"};
const client::ResourceRef kClaims{"", "persistentvolumeclaims"};
const client::ResourceRef kVolumes{"", "persistentvolumes"};
const client::ResourceRef kClasses{"storage.k8s.io", "storageclasses"};

Value node(const std::string& name, const std::string& cpu = "4") {
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata", Value::object({{"name", name}, {"labels", Value::object({{"kubernetes.io/hostname", name}})}})},
       {"spec", Value::object()},
       {"status",
        Value::object({{"allocatable", Value::object({{"cpu", cpu}, {"memory", "8Gi"}, {"pods", "110"}})}})}});
}

Value pod(const std::string& name, const std::string& cpu = "100m") {
  Value resources = Value::object({{"requests", Value::object({{"cpu", cpu}})}});
  Value container = Value::object({{"name", "c"}, {"image", "i"}, {"resources", resources}});
  return Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Pod"},
       {"metadata",
        Value::object({{"name", name}, {"namespace", "default"}, {"labels", Value::object({{"app", "a"}})}})},
       {"spec", Value::object({{"schedulerName", "default-scheduler"}, {"containers", Value::array({container})}})},
       {"status", Value::object({{"phase", "Pending"}})}});
}

Value claim(const std::string& name, const std::string& storage_class) {
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "PersistentVolumeClaim"},
                        {"metadata", Value::object({{"name", name}, {"namespace", "default"}})},
                        {"spec", Value::object({{"storageClassName", storage_class}})},
                        {"status", Value::object({{"phase", "Pending"}})}});
}

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest()
      : simulation(7),
        loop(simulation.make_loop()),
        api(loop),
        events(api, loop, "default-scheduler"),
        informers(api, loop),
        scheduler(api, loop, events, informers) {}
  void start() {
    informers.start();
    scheduler.start();
    settle();
  }
  void settle() { simulation.run_for(100us); }
  void add(const client::ResourceRef& resource, Value document) {
    api.put(resource, std::move(document));
    settle();
  }
  std::string node_of(const std::string& name) {
    ObjectPtr found = api.get(kPods, "default/" + name);
    return found ? std::string(found->spec().at("nodeName").as_string()) : "";
  }
  std::string condition_of(const std::string& name) {
    for (const Value& condition : api.get(kPods, "default/" + name)->status().at("conditions").items()) {
      if (condition.at("type").as_string() == "PodScheduled") return std::string(condition.at("message").as_string());
    }
    return "";
  }
  std::set<std::string> event_texts() const {
    std::set<std::string> all;
    for (const ObjectPtr& event : api.list({"", "events"})) {
      all.insert(std::string(event->document().at("reason").as_string()) + ": " +
                 std::string(event->document().at("message").as_string()));
    }
    return all;
  }

  loop::Simulation simulation;
  loop::Loop& loop;
  client::FakeApi api;
  client::EventRecorder events;
  client::InformerSet informers;
  Scheduler scheduler;
};

TEST_F(SchedulerTest, BindsAndSaysSo) {
  start();
  add(kNodes, node("node1"));
  add(kPods, pod("web-0"));
  EXPECT_EQ(node_of("web-0"), "node1");
  EXPECT_TRUE(event_texts().contains("Scheduled: Successfully assigned default/web-0 to node1"));
}

TEST_F(SchedulerTest, SaysWhyNotAndTriesAgainWhenANodeComes) {
  start();
  add(kNodes, node("node1", "1"));
  add(kPods, pod("big", "1"));
  add(kPods, pod("small", "500m"));
  EXPECT_EQ(node_of("small"), "");
  std::string why =
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found "
      "for incoming pod.";
  EXPECT_EQ(condition_of("small"), why);
  EXPECT_TRUE(event_texts().contains("FailedScheduling: " + why));
  add(kNodes, node("node2"));
  EXPECT_EQ(node_of("small"), "node2");
}

TEST_F(SchedulerTest, TriesAgainWhenAPodLeaves) {
  start();
  add(kNodes, node("node1", "1"));
  add(kPods, pod("first", "1"));
  add(kPods, pod("second", "1"));
  EXPECT_EQ(node_of("second"), "");
  api.change(kPods, "default/first", [](Value& pod) { pod.set({"status", "phase"}, "Succeeded"); });
  settle();
  EXPECT_EQ(node_of("second"), "node1");
}

TEST_F(SchedulerTest, HonoursTaintsSelectorsAndCordons) {
  Value tainted = node("tainted");
  tainted["spec"]["taints"].append(Value::object({{"key", "k"}, {"value", "v"}, {"effect", "NoSchedule"}}));
  Value cordoned = node("cordoned");
  cordoned.set({"spec", "unschedulable"}, true);
  start();
  add(kNodes, tainted);
  add(kNodes, cordoned);
  Value plain = pod("plain");
  add(kPods, plain);
  EXPECT_EQ(condition_of("plain"),
            "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable. preemption: "
            "0/2 nodes are available: 2 Preemption is not helpful for scheduling.");
  Value tolerant = pod("tolerant");
  tolerant["spec"]["tolerations"].append(Value::object({{"key", "k"}, {"operator", "Exists"}}));
  add(kPods, tolerant);
  EXPECT_EQ(node_of("tolerant"), "tainted");
  Value picky = pod("picky");
  picky["spec"]["tolerations"].append(Value::object({{"operator", "Exists"}}));
  picky.set({"spec", "nodeSelector", "disk"}, "ssd");
  add(kPods, picky);
  EXPECT_NE(condition_of("picky").find("2 node(s) didn't match Pod's node affinity/selector"), std::string::npos);
}

TEST_F(SchedulerTest, KeepsAntiAffinePodsApart) {
  auto exclusive = [](const std::string& name) {
    Value document = pod(name);
    Value term = Value::object({{"topologyKey", "kubernetes.io/hostname"},
                                {"labelSelector", Value::object({{"matchLabels", Value::object({{"app", "a"}})}})}});
    document["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"].append(term);
    return document;
  };
  start();
  add(kNodes, node("node1"));
  add(kNodes, node("node2"));
  add(kPods, exclusive("web-0"));
  add(kPods, exclusive("web-1"));
  add(kPods, exclusive("web-2"));
  EXPECT_NE(node_of("web-0"), node_of("web-1"));
  EXPECT_EQ(node_of("web-2"), "");
  EXPECT_NE(condition_of("web-2").find("2 node(s) didn't match pod anti-affinity rules"), std::string::npos);
  add(kPods, pod("plain"));
  EXPECT_NE(condition_of("plain").find("didn't satisfy existing pods anti-affinity rules"), std::string::npos);
  api.remove(kPods, "default/web-0");
  settle();
  EXPECT_NE(node_of("web-2") + node_of("plain"), "");
}

TEST_F(SchedulerTest, WaitsForImmediateClaims) {
  start();
  add(kNodes, node("node1"));
  Value document = pod("web-0");
  document["spec"]["volumes"].append(
      Value::object({{"name", "v"}, {"persistentVolumeClaim", Value::object({{"claimName", "data"}})}}));
  add(kPods, document);
  EXPECT_NE(condition_of("web-0").find("persistentvolumeclaim \"data\" not found"), std::string::npos);
  add(kClaims, claim("data", "fast"));
  EXPECT_EQ(condition_of("web-0"),
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are "
            "available: 1 Preemption is not helpful for scheduling.");
  add(kVolumes, Value::object({{"metadata", Value::object({{"name", "pv"}})}}));
  api.change(kClaims, "default/data", [](Value& claim) {
    claim.set({"spec", "volumeName"}, "pv");
    claim.set({"metadata", "annotations", "pv.kubernetes.io/bind-completed"}, "yes");
  });
  settle();
  EXPECT_EQ(node_of("web-0"), "node1");
}

TEST_F(SchedulerTest, AClaimOfOnePodAloneKeepsTheNextWaiting) {
  start();
  add(kNodes, node("node1"));
  add(kNodes, node("node2"));
  add(kVolumes, Value::object({{"metadata", Value::object({{"name", "pv"}})}}));
  Value bound = claim("data", "fast");
  bound["spec"].set("accessModes", Value::array({"ReadWriteOncePod"}));
  bound.set({"spec", "volumeName"}, "pv");
  bound.set({"metadata", "annotations", "pv.kubernetes.io/bind-completed"}, "yes");
  add(kClaims, bound);
  for (const char* name : {"web-0", "web-1"}) {
    Value document = pod(name);
    document["spec"]["volumes"].append(
        Value::object({{"name", "v"}, {"persistentVolumeClaim", Value::object({{"claimName", "data"}})}}));
    add(kPods, document);
  }
  EXPECT_NE(node_of("web-0"), "");
  EXPECT_EQ(node_of("web-1"), "");
  EXPECT_NE(condition_of("web-1").find(
                "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"),
            std::string::npos)
      << condition_of("web-1");
  api.remove(kPods, "default/web-0");
  settle();
  EXPECT_NE(node_of("web-1"), "");
}

TEST_F(SchedulerTest, ChoosesTheNodeOfADelayedClaimAndBindsAfterIt) {
  start();
  add(kNodes, node("node1"));
  add(kClasses, Value::object({{"metadata", Value::object({{"name", "late"}})},
                               {"provisioner", "stead.dev/local"},
                               {"volumeBindingMode", "WaitForFirstConsumer"}}));
  add(kClaims, claim("data", "late"));
  Value document = pod("web-0");
  document["spec"]["volumes"].append(
      Value::object({{"name", "v"}, {"persistentVolumeClaim", Value::object({{"claimName", "data"}})}}));
  add(kPods, document);
  EXPECT_EQ(node_of("web-0"), "");
  EXPECT_EQ(api.get(kClaims, "default/data")
                ->metadata()
                .at({"annotations", "volume.kubernetes.io/selected-node"})
                .as_string(),
            "node1");
  add(kVolumes, Value::object({{"metadata", Value::object({{"name", "pv"}})}}));
  api.change(kClaims, "default/data", [](Value& claim) {
    claim.set({"spec", "volumeName"}, "pv");
    claim.set({"metadata", "annotations", "pv.kubernetes.io/bind-completed"}, "yes");
  });
  settle();
  EXPECT_EQ(node_of("web-0"), "node1");
}

TEST_F(SchedulerTest, LeavesGatedPodsAndOtherSchedulersAlone) {
  start();
  add(kNodes, node("node1"));
  Value gated = pod("gated");
  gated["spec"]["schedulingGates"].append(Value::object({{"name", "g"}}));
  add(kPods, gated);
  Value foreign = pod("foreign");
  foreign.set({"spec", "schedulerName"}, "mine");
  add(kPods, foreign);
  EXPECT_EQ(node_of("gated") + node_of("foreign"), "");
  api.change(kPods, "default/gated", [](Value& pod) { pod["spec"].erase("schedulingGates"); });
  settle();
  EXPECT_EQ(node_of("gated"), "node1");
}

TEST_F(SchedulerTest, AFailedBindingIsForgottenAndTriedAgain) {
  int failures = 2;
  api.fault = [&](const client::Request& request) -> std::optional<Error> {
    if (request.subresource != "binding" || failures-- <= 0) return std::nullopt;
    return make_error(Reason::kUnavailable, "not now");
  };
  start();
  add(kNodes, node("node1", "1"));
  add(kPods, pod("web-0", "1"));
  simulation.run_for(1s);
  EXPECT_EQ(node_of("web-0"), "node1");
}

TEST_F(SchedulerTest, NeverFillsANodeBeyondWhatItHas) {
  start();
  for (int i = 0; i < 10; ++i) add(kNodes, node("node" + std::to_string(i), "1"));
  for (int i = 0; i < 50; ++i) api.put(kPods, pod("p" + std::to_string(i), "300m"));
  simulation.run_for(1s);
  std::map<std::string, int> counts;
  for (int i = 0; i < 50; ++i) ++counts[node_of("p" + std::to_string(i))];
  EXPECT_EQ(counts[""], 20);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(counts["node" + std::to_string(i)], 3);
}

TEST(Candidates, AShareOfManyNodesIsEnough) {
  EXPECT_EQ(candidates_enough(3), 3U);
  EXPECT_EQ(candidates_enough(100), 100U);
  EXPECT_EQ(candidates_enough(150), 100U);
  EXPECT_EQ(candidates_enough(1000), 420U);
  EXPECT_EQ(candidates_enough(5000), 500U);
  EXPECT_EQ(candidates_enough(20000), 1000U);
}

TEST_F(SchedulerTest, OfManyNodesEachGetsItsTurn) {
  for (int index = 0; index < 250; ++index) api.put(kNodes, node("n" + std::to_string(1000 + index), "150m"));
  start();
  std::set<std::string> used;
  for (int index = 0; index < 250; ++index) {
    std::string name = "p" + std::to_string(index);
    add(kPods, pod(name));
    used.insert(node_of(name));
  }
  EXPECT_EQ(used.size(), 250U);
  EXPECT_FALSE(used.contains(""));
}

}  // namespace
}  // namespace stead::scheduler
