// Disruption budgets: the counts as a table, and the controller on an API of a few lines.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/disruption/disruption_controller.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

Value web_labels() { return Value::object({{"app", "web"}}); }

Value owned_by(std::string_view api_version, std::string_view kind, std::string_view uid) {
  return Value::array({Value::object(
      {{"apiVersion", api_version}, {"kind", kind}, {"name", "web"}, {"uid", uid}, {"controller", true}})});
}

class DisruptionTest : public testing::Test {
 protected:
  void start(Value spec, int64_t replicas, int pods, int ready) {
    api.put(kReplicaSets,
            Value::object({{"apiVersion", "apps/v1"},
                           {"kind", "ReplicaSet"},
                           {"metadata", Value::object({{"name", "web"}, {"namespace", "default"}, {"uid", "rs"}})},
                           {"spec", Value::object({{"replicas", replicas}})}}));
    for (int i = 0; i < pods; ++i) add_pod("web-" + std::to_string(i), i < ready);
    spec.set({"selector", "matchLabels"}, web_labels());
    api.put(kDisruptionBudgets,
            Value::object({{"apiVersion", "policy/v1"},
                           {"kind", "PodDisruptionBudget"},
                           {"metadata", Value::object({{"name", "web"}, {"namespace", "default"}, {"generation", 1}})},
                           {"spec", std::move(spec)}}));
    informers.start();
    controller.start();
    settle();
  }
  void add_pod(const std::string& name, bool ready) {
    Value metadata = Value::object({{"name", name}, {"namespace", "default"}, {"labels", web_labels()}});
    metadata.set("ownerReferences", owned_by("apps/v1", "ReplicaSet", "rs"));
    Value condition = Value::object({{"type", "Ready"}, {"status", ready ? "True" : "False"}});
    api.put(kPods, Value::object({{"apiVersion", "v1"},
                                  {"kind", "Pod"},
                                  {"metadata", std::move(metadata)},
                                  {"status", Value::object({{"phase", "Running"},
                                                            {"conditions", Value::array({std::move(condition)})}})}}));
  }
  void settle() { simulation.run_for(10ms); }
  const Value& status() const { return api.get(kDisruptionBudgets, "default/web")->status(); }
  int64_t count(std::string_view name) const { return status().at(name).as_int(-1); }
  std::string_view reason() const { return status().at("conditions").items()[0].at("reason").as_string(); }

  loop::Simulation simulation{1};
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::EventRecorder events{api, loop, "controllermanager"};
  client::InformerSet informers{api, loop};
  DisruptionController controller{api, loop, events, informers};
};

TEST_F(DisruptionTest, MinAvailable) {
  start(Value::object({{"minAvailable", 2}}), 3, 3, 3);
  EXPECT_EQ(count("disruptionsAllowed"), 1);
  EXPECT_EQ(count("currentHealthy"), 3);
  EXPECT_EQ(count("desiredHealthy"), 2);
  EXPECT_EQ(count("expectedPods"), 3);
  EXPECT_EQ(count("observedGeneration"), 1);
  EXPECT_EQ(reason(), "SufficientPods");
}

TEST_F(DisruptionTest, PercentagesCountWhatShouldBeThere) {
  start(Value::object({{"minAvailable", "50%"}}), 5, 3, 3);
  EXPECT_EQ(count("expectedPods"), 5);
  EXPECT_EQ(count("desiredHealthy"), 3) << "rounded up";
  EXPECT_EQ(count("disruptionsAllowed"), 0);
  EXPECT_EQ(reason(), "InsufficientPods");
  add_pod("web-3", true);
  settle();
  EXPECT_EQ(count("disruptionsAllowed"), 1);
}

TEST_F(DisruptionTest, MaxUnavailableFollowsTheOwner) {
  start(Value::object({{"maxUnavailable", 1}}), 3, 3, 3);
  EXPECT_EQ(count("disruptionsAllowed"), 1);
  api.change(kReplicaSets, "default/web", [](Value& set) { set.set({"spec", "replicas"}, 5); });
  settle();
  EXPECT_EQ(count("desiredHealthy"), 4);
  EXPECT_EQ(count("disruptionsAllowed"), 0);
}

TEST_F(DisruptionTest, AGrantedEvictionCountsUntilItsTimeIsOver) {
  start(Value::object({{"minAvailable", 1}}), 2, 2, 2);
  EXPECT_EQ(count("disruptionsAllowed"), 1);
  api.change(kDisruptionBudgets, "default/web", [&](Value& budget) {
    budget.set({"status", "disruptedPods", "web-0"}, object::format_time(loop.wall_now()));
    budget.set({"status", "disruptionsAllowed"}, 0);
  });
  settle();
  EXPECT_EQ(count("disruptionsAllowed"), 0);
  simulation.run_for(3min);
  EXPECT_TRUE(status().at("disruptedPods").is_null()) << "it did not happen";
  EXPECT_EQ(count("disruptionsAllowed"), 1);
}

TEST_F(DisruptionTest, AnOwnerWithoutSizeAllowsNothing) {
  start(Value::object({{"maxUnavailable", 1}}), 2, 2, 2);
  api.change(kPods, "default/web-0", [](Value& pod) {
    pod.set({"metadata", "ownerReferences"}, owned_by("batch/v1", "Job", "job"));
  });
  settle();
  EXPECT_EQ(count("disruptionsAllowed"), 0);
  EXPECT_EQ(reason(), "SyncFailed");
}

}  // namespace
}  // namespace stead::controllers
