// The ReplicaSet controller on an API of a few lines, and the order in which pods go as a table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/owner_references.h"
#include "controllers/replicaset/replicaset_controller.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

Value web_labels() { return Value::object({{"app", "web"}}); }

Value web_set(int64_t replicas) {
  return Value::object(
      {{"apiVersion", "apps/v1"},
       {"kind", "ReplicaSet"},
       {"metadata", Value::object({{"name", "web"}, {"namespace", "default"}, {"generation", 1}})},
       {"spec", Value::object({{"replicas", replicas},
                               {"selector", Value::object({{"matchLabels", web_labels()}})},
                               {"template", Value::object({{"metadata", Value::object({{"labels", web_labels()}})},
                                                           {"spec", Value::object()}})}})}});
}

class ReplicaSetTest : public testing::Test {
 protected:
  void start(Value set) {
    api.put(kReplicaSets, std::move(set));
    informers.start();
    controller.start();
    settle();
  }
  void settle() { simulation.run_for(100us); }
  void scale(int64_t replicas) {
    api.change(kReplicaSets, "default/web", [&](Value& set) { set.set({"spec", "replicas"}, replicas); });
    settle();
  }
  std::vector<ObjectPtr> pods() const { return api.list(kPods); }
  void make_ready(const ObjectPtr& pod) {
    api.change(kPods, client::object_key(*pod), [&](Value& document) {
      document.set({"spec", "nodeName"}, "node1");
      document.set({"status", "phase"}, "Running");
      document.set(
          {"status", "conditions"},
          Value::array({Value::object(
              {{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", object::format_time(loop.wall_now())}})}));
    });
    settle();
  }
  const Value& status() const { return api.get(kReplicaSets, "default/web")->status(); }
  size_t calls_of(client::Verb verb, const ResourceRef& resource) const {
    return static_cast<size_t>(std::count_if(api.calls.begin(), api.calls.end(), [&](const Request& call) {
      return call.verb == verb && call.resource == resource.resource;
    }));
  }

  loop::Simulation simulation{1};
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::EventRecorder events{api, loop, "replicaset-controller"};
  client::InformerSet informers{api, loop};
  ReplicaSetController controller{api, loop, events, informers};
};

TEST_F(ReplicaSetTest, MakesPodsAndCountsThem) {
  start(web_set(3));
  ASSERT_EQ(pods().size(), 3U);
  EXPECT_TRUE(pods()[0]->name().starts_with("web-"));
  EXPECT_TRUE(controlled_by(*pods()[0], *api.get(kReplicaSets, "default/web")));
  EXPECT_EQ(status().at("replicas").as_int(), 3);
  EXPECT_EQ(status().at("fullyLabeledReplicas").as_int(), 3);
  EXPECT_TRUE(status().at("readyReplicas").is_null());
  for (const ObjectPtr& pod : pods()) make_ready(pod);
  EXPECT_EQ(status().at("readyReplicas").as_int(), 3);
  EXPECT_EQ(status().at("availableReplicas").as_int(), 3);
  EXPECT_EQ(status().at("observedGeneration").as_int(), 1);
  EXPECT_EQ(calls_of(client::Verb::kCreate, kPods), 3U) << "a pod must not be made twice";
}

TEST_F(ReplicaSetTest, EndsUnscheduledPodsFirst) {
  start(web_set(3));
  ObjectPtr kept = pods()[1];
  make_ready(kept);
  scale(1);
  ASSERT_EQ(pods().size(), 1U);
  EXPECT_EQ(pods()[0]->uid(), kept->uid());
}

TEST_F(ReplicaSetTest, ReplacesFinishedAndTerminatingPods) {
  start(web_set(1));
  make_ready(pods()[0]);
  std::string key = client::object_key(*pods()[0]);
  api.call(delete_request(kPods, *pods()[0]), [](auto) {});
  settle();
  EXPECT_EQ(pods().size(), 2U);
  EXPECT_EQ(status().at("replicas").as_int(), 1);
  EXPECT_EQ(status().at("terminatingReplicas").as_int(), 1);
  api.remove(kPods, key);
  settle();
  EXPECT_EQ(status().at("terminatingReplicas").as_int(), 0);
  api.change(kPods, client::object_key(*pods()[0]), [](Value& pod) { pod.set({"status", "phase"}, "Failed"); });
  settle();
  EXPECT_EQ(pods().size(), 2U);
}

TEST_F(ReplicaSetTest, AdoptsOrphansAndReleasesStrangers) {
  Value orphan = Value::object(
      {{"apiVersion", "v1"},
       {"kind", "Pod"},
       {"metadata", Value::object({{"name", "orphan"}, {"namespace", "default"}, {"labels", web_labels()}})},
       {"spec", Value::object()}});
  api.put(kPods, std::move(orphan));
  start(web_set(2));
  EXPECT_EQ(pods().size(), 2U);
  ObjectPtr set = api.get(kReplicaSets, "default/web");
  EXPECT_TRUE(controlled_by(*api.get(kPods, "default/orphan"), *set));
  api.change(kPods, "default/orphan", [](Value& pod) { pod.set({"metadata", "labels", "app"}, "db"); });
  settle();
  EXPECT_EQ(controller_of(*api.get(kPods, "default/orphan")), nullptr);
  EXPECT_EQ(pods().size(), 3U);
}

TEST_F(ReplicaSetTest, ARefusalCostsOneCallAndIsReported) {
  api.fault = [](const Request& call) -> std::optional<Error> {
    if (call.resource != "pods" || call.verb != client::Verb::kCreate) return std::nullopt;
    return make_error(Reason::kForbidden, "exceeded quota");
  };
  start(web_set(100));
  EXPECT_EQ(calls_of(client::Verb::kCreate, kPods), 1U);
  const Value& condition = status().at("conditions").items()[0];
  EXPECT_EQ(condition.at("type").as_string(), "ReplicaFailure");
  EXPECT_EQ(condition.at("reason").as_string(), "FailedCreate");
  EXPECT_EQ(condition.at("message").as_string(), "exceeded quota");
  api.fault = nullptr;
  simulation.run_for(1min);
  EXPECT_EQ(pods().size(), 100U);
  EXPECT_TRUE(status().at("conditions").empty());
}

TEST_F(ReplicaSetTest, MinReadySecondsPassWithoutEvents) {
  Value set = web_set(1);
  set.set({"spec", "minReadySeconds"}, 10);
  start(std::move(set));
  make_ready(pods()[0]);
  EXPECT_EQ(status().at("readyReplicas").as_int(), 1);
  EXPECT_TRUE(status().at("availableReplicas").is_null());
  simulation.run_for(12s);
  EXPECT_EQ(status().at("availableReplicas").as_int(), 1);
}

// Answers come before the watch events of what they did, as over HTTPS.
class LateWatches final : public client::ApiTransport {
 public:
  LateWatches(client::ApiTransport& inner, loop::Loop& loop) : inner_(inner), loop_(loop) {}
  void call(Request request, client::Callback done) override { inner_.call(std::move(request), std::move(done)); }
  std::unique_ptr<client::Watch> watch(Request request, std::shared_ptr<client::WatchSink> sink) override {
    return inner_.watch(std::move(request), std::make_shared<Late>(loop_, std::move(sink)));
  }

 private:
  struct Late final : client::WatchSink {
    Late(loop::Loop& the_loop, std::shared_ptr<client::WatchSink> the_sink) : loop(the_loop), sink(the_sink) {}
    void on_events(std::vector<client::WatchEvent> events) override {
      loop.call_after(5ms, [to = sink, events = std::move(events)] { to->on_events(events); });
    }
    void on_end(Error error) override { sink->on_end(std::move(error)); }
    loop::Loop& loop;
    std::shared_ptr<client::WatchSink> sink;
  };
  client::ApiTransport& inner_;
  loop::Loop& loop_;
};

TEST(ReplicaSetOverHttps, NeverRepeatsWhatItHasNotSeenYet) {
  loop::Simulation simulation{1};
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  LateWatches transport{api, loop};
  client::EventRecorder events{transport, loop, "replicaset-controller"};
  client::InformerSet informers{transport, loop};
  ReplicaSetController controller{transport, loop, events, informers};
  api.put(kReplicaSets, web_set(5));
  informers.start();
  controller.start();
  // Every change of the set asks for a decision while the pods are on their way.
  for (int i = 0; i < 30; ++i) {
    simulation.run_for(1ms);
    api.change(kReplicaSets, "default/web", [&](Value& set) { set.set({"metadata", "labels", "turn"}, i); });
  }
  simulation.run_for(50ms);
  EXPECT_EQ(api.list(kPods).size(), 5U);
  api.change(kReplicaSets, "default/web", [](Value& set) { set.set({"spec", "replicas"}, 2); });
  for (int i = 0; i < 30; ++i) {
    simulation.run_for(1ms);
    api.change(kReplicaSets, "default/web", [&](Value& set) { set.set({"metadata", "labels", "turn"}, i); });
  }
  simulation.run_for(50ms);
  EXPECT_EQ(api.list(kPods).size(), 2U);
  auto writes = std::count_if(api.calls.begin(), api.calls.end(), [](const Request& call) {
    return call.resource == "pods" && (call.verb == client::Verb::kCreate || call.verb == client::Verb::kDelete);
  });
  EXPECT_EQ(writes, 5 + 3);
}

TEST(Expectations, HoldUntilAllHasBeenSeen) {
  Expectations expectations;
  Instant now{};
  expectations.expect("set", 2, {"pod-uid"}, now);
  expectations.creation_settled("set");
  expectations.deletion_settled("set", "another");
  EXPECT_TRUE(expectations.outstanding("set", now));
  expectations.creation_settled("set");
  EXPECT_TRUE(expectations.outstanding("set", now));
  expectations.deletion_settled("set", "pod-uid");
  EXPECT_FALSE(expectations.outstanding("set", now));
  expectations.expect("set", 1, {}, now);
  EXPECT_FALSE(expectations.outstanding("set", now + 5min)) << "lost events must not block for ever";
}

struct Sketch {
  std::string name;
  std::string node = "n";
  std::string phase = "Running";
  int ready_minutes = -1;  // -1: not ready
  std::string cost;
  int restarts = 0;
  int age_minutes = 1000;
};

TEST(ScaleDownOrder, Table) {
  WallTime now = *object::parse_time("2026-01-01T12:00:00Z");
  auto ago = [&](int minutes) { return object::format_time(now - std::chrono::minutes(minutes)); };
  // In the order in which they go.
  const Sketch sketches[] = {
      {.name = "unscheduled", .node = "", .phase = "Pending"},
      {.name = "pending", .phase = "Pending"},
      {.name = "unknown", .phase = "Unknown"},
      {.name = "cheap-unready", .cost = "-5"},
      {.name = "unready-restarted", .restarts = 3},
      {.name = "unready"},
      {.name = "cheap", .ready_minutes = 500, .cost = "-10"},
      {.name = "crowded", .node = "full", .ready_minutes = 500},
      {.name = "just-ready", .ready_minutes = 1},
      {.name = "restarted", .ready_minutes = 100, .restarts = 2},
      {.name = "young", .ready_minutes = 100, .age_minutes = 110},
      {.name = "old", .ready_minutes = 100},
      {.name = "costly", .ready_minutes = 1, .cost = "10"},
  };
  std::vector<ObjectPtr> pods;
  for (const Sketch& sketch : sketches) {
    Value pod = Value::object(
        {{"metadata",
          Value::object({{"name", sketch.name}, {"uid", sketch.name}, {"creationTimestamp", ago(sketch.age_minutes)}})},
         {"spec", Value::object({{"nodeName", sketch.node}})},
         {"status",
          Value::object({{"phase", sketch.phase},
                         {"containerStatuses", Value::array({Value::object({{"restartCount", sketch.restarts}})})}})}});
    if (!sketch.cost.empty()) {
      pod.set({"metadata", "annotations", "controller.kubernetes.io/pod-deletion-cost"}, sketch.cost);
    }
    if (sketch.ready_minutes >= 0) {
      pod["status"].set(
          "conditions",
          Value::array({Value::object(
              {{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", ago(sketch.ready_minutes)}})}));
    }
    pods.insert(pods.begin(), object::make_object(std::move(pod), 1));
  }
  replicaset::sort_for_scale_down(pods, {{"full", 5}, {"n", 1}}, now);
  for (size_t i = 0; i < pods.size(); ++i) EXPECT_EQ(pods[i]->name(), sketches[i].name) << i;
}

}  // namespace
}  // namespace stead::controllers
