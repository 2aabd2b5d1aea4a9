// Deployments on an API of a few lines, with the ReplicaSet controller and a node that obeys: scenarios, the bounds of
// a rolling update over random histories, and the arithmetic as a table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "client/fake_api.h"
#include "controllers/deployment/deployment_controller.h"
#include "controllers/deployment/deployment_status.h"
#include "controllers/deployment/revisions.h"
#include "controllers/deployment/rollout_counts.h"
#include "controllers/pod_state.h"
#include "controllers/replicaset/replicaset_controller.h"
#include "controllers/requests.h"
#include "loop/simulated_loop.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Value web(int64_t replicas, Value surge = 1, Value unavailable = 0) {
  Value labels = Value::object({{"app", "web"}});
  Value container = Value::object({{"name", "c"}, {"image", "img:1"}});
  Value rolling = Value::object({{"maxSurge", std::move(surge)}, {"maxUnavailable", std::move(unavailable)}});
  return Value::object(
      {{"apiVersion", "apps/v1"},
       {"kind", "Deployment"},
       {"metadata", Value::object({{"name", "web"}, {"namespace", "default"}, {"generation", 1}})},
       {"spec",
        Value::object(
            {{"replicas", replicas},
             {"revisionHistoryLimit", 2},
             {"progressDeadlineSeconds", 60},
             {"strategy", Value::object({{"type", "RollingUpdate"}, {"rollingUpdate", std::move(rolling)}})},
             {"selector", Value::object({{"matchLabels", labels}})},
             {"template", Value::object({{"metadata", Value::object({{"labels", labels}})},
                                         {"spec", Value::object({{"containers", Value::array({container})}})}})}})}});
}

class DeploymentTest : public testing::Test {
 protected:
  void start(Value deployment) {
    api.put(kDeployments, std::move(deployment));
    informers.start();
    sets.start();
    controller.start();
    settle();
  }
  void settle() { simulation.run_for(1ms); }
  void edit(const std::function<void(Value&)>& change) {
    api.change(kDeployments, "default/web", [&](Value& document) {
      change(document);
      document.set({"metadata", "generation"}, document.at({"metadata", "generation"}).as_int() + 1);
    });
    settle();
  }
  void set_image(const std::string& image) {
    edit([&](Value& document) {
      document["spec"]["template"]["spec"]["containers"].mutable_items()[0].set("image", image);
    });
  }
  void scale(int64_t replicas) {
    edit([&](Value& document) { document.set({"spec", "replicas"}, replicas); });
  }
  ObjectPtr deployment() const { return api.get(kDeployments, "default/web"); }
  static std::string image_of(const Value& pod_spec) {
    return std::string(pod_spec.at("containers").items()[0].at("image").as_string());
  }
  // spec.replicas by image, of sets that want some.
  std::map<std::string, int64_t> sizes() const {
    std::map<std::string, int64_t> all;
    for (const ObjectPtr& set : api.list(kReplicaSets)) {
      int64_t replicas = set->spec().at("replicas").as_int();
      if (replicas > 0) all[image_of(set->spec().at({"template", "spec"}))] += replicas;
    }
    return all;
  }
  void make_ready(const ObjectPtr& pod) {
    api.change(kPods, client::object_key(*pod), [&](Value& document) {
      document.set({"spec", "nodeName"}, "node1");
      document.set({"status", "phase"}, "Running");
      document.set(
          {"status", "conditions"},
          Value::array({Value::object(
              {{"type", "Ready"}, {"status", "True"}, {"lastTransitionTime", object::format_time(loop.wall_now())}})}));
    });
  }
  // One round of a node that obeys: starts what is new, ends what is to go.
  void run_node() {
    for (const ObjectPtr& pod : api.list(kPods)) {
      if (pod->deleting()) {
        api.remove(kPods, client::object_key(*pod));
      } else if (phase_of(*pod) == "Pending") {
        make_ready(pod);
      }
    }
    settle();
  }
  void run_nodes(int rounds = 20) {
    for (int i = 0; i < rounds; ++i) run_node();
  }
  std::pair<std::string, std::string> progressing() const {
    const Value* condition = deployment::find_condition(deployment()->status(), "Progressing");
    if (condition == nullptr) return {};
    return {std::string(condition->at("status").as_string()), std::string(condition->at("reason").as_string())};
  }
  std::vector<std::string> messages(std::string_view reason) const {
    std::vector<std::string> all;
    for (const ObjectPtr& event : api.list({"", "events"})) {
      if (event->document().at("reason").as_string() == reason) {
        all.emplace_back(event->document().at("message").as_string());
      }
    }
    return all;
  }
  using Condition = std::pair<std::string, std::string>;

  loop::Simulation simulation{1};
  loop::Loop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::EventRecorder events{api, loop, "deployment-controller"};
  client::InformerSet informers{api, loop};
  ReplicaSetController sets{api, loop, events, informers};
  DeploymentController controller{api, loop, events, informers};
};

TEST_F(DeploymentTest, ComesUp) {
  start(web(3));
  ASSERT_EQ(api.list(kReplicaSets).size(), 1U);
  ObjectPtr set = api.list(kReplicaSets)[0];
  std::string hash(set->metadata().at({"labels", "pod-template-hash"}).as_string());
  EXPECT_EQ(set->name(), "web-" + hash);
  EXPECT_EQ(set->spec().at({"selector", "matchLabels", "pod-template-hash"}).as_string(), hash);
  EXPECT_EQ(api.list(kPods)[0]->metadata().at({"labels", "pod-template-hash"}).as_string(), hash);
  EXPECT_EQ(set->metadata().at({"annotations", "deployment.kubernetes.io/desired-replicas"}).as_string(), "3");
  EXPECT_EQ(set->metadata().at({"annotations", "deployment.kubernetes.io/max-replicas"}).as_string(), "4");
  EXPECT_EQ(deployment()->metadata().at({"annotations", "deployment.kubernetes.io/revision"}).as_string(), "1");
  EXPECT_EQ(progressing().second, "ReplicaSetUpdated");
  EXPECT_EQ(deployment::find_condition(deployment()->status(), "Available")->at("status").as_string(), "False");
  run_nodes();
  const Value& status = deployment()->status();
  for (std::string_view name : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"}) {
    EXPECT_EQ(status.at(name).as_int(), 3) << name;
  }
  EXPECT_TRUE(status.at("unavailableReplicas").is_null());
  EXPECT_EQ(progressing(), (Condition{"True", "NewReplicaSetAvailable"}));
  EXPECT_EQ(deployment::find_condition(status, "Available")->at("reason").as_string(), "MinimumReplicasAvailable");
  EXPECT_THAT(messages("ScalingReplicaSet"), ElementsAre("Scaled up replica set web-" + hash + " from 0 to 3"));
}

TEST_F(DeploymentTest, RollsAndKeepsHistory) {
  start(web(3));
  run_nodes();
  for (const char* image : {"img:2", "img:3", "img:4", "img:5"}) {
    set_image(image);
    EXPECT_EQ(sizes()[image], 1);
    run_nodes();
    EXPECT_EQ(sizes(), (std::map<std::string, int64_t>{{image, 3}}));
    EXPECT_EQ(progressing(), (Condition{"True", "NewReplicaSetAvailable"}));
  }
  EXPECT_EQ(deployment()->metadata().at({"annotations", "deployment.kubernetes.io/revision"}).as_string(), "5");
  EXPECT_EQ(api.list(kReplicaSets).size(), 3U) << "the new one and revisionHistoryLimit old ones";
}

TEST_F(DeploymentTest, UndoReusesTheSetWithANewNumber) {
  start(web(2));
  run_nodes();
  set_image("img:2");
  run_nodes();
  set_image("img:1");
  run_nodes();
  EXPECT_EQ(api.list(kReplicaSets).size(), 2U);
  EXPECT_EQ(sizes(), (std::map<std::string, int64_t>{{"img:1", 2}}));
  for (const ObjectPtr& set : api.list(kReplicaSets)) {
    if (set->spec().at("replicas").as_int() == 0) continue;
    EXPECT_EQ(set->metadata().at({"annotations", "deployment.kubernetes.io/revision"}).as_string(), "3");
    EXPECT_EQ(set->metadata().at({"annotations", "deployment.kubernetes.io/revision-history"}).as_string(), "1");
  }
}

TEST_F(DeploymentTest, TheOldRequestToRollBackIsMetOrRefused) {
  start(web(1));
  run_nodes();
  set_image("img:2");
  run_nodes();
  edit([](Value& document) { document.set({"metadata", "annotations", deployment::kRollbackTo}, "1"); });
  run_nodes();
  EXPECT_EQ(sizes(), (std::map<std::string, int64_t>{{"img:1", 1}}));
  EXPECT_THAT(messages("DeploymentRollback"), ElementsAre("Rolled back deployment \"web\" to revision 1"));
  edit([](Value& document) { document.set({"metadata", "annotations", deployment::kRollbackTo}, "9"); });
  EXPECT_EQ(messages("DeploymentRollbackRevisionNotFound").size(), 1U);
  EXPECT_EQ(deployment()->metadata().find({"annotations", deployment::kRollbackTo}), nullptr);
}

TEST_F(DeploymentTest, RecreateEndsAllOldPodsFirst) {
  Value recreate = web(2);
  recreate["spec"].set("strategy", Value::object({{"type", "Recreate"}}));
  start(std::move(recreate));
  run_nodes();
  set_image("img:2");
  EXPECT_TRUE(sizes().empty());
  ASSERT_EQ(api.list(kPods).size(), 2U);
  api.remove(kPods, client::object_key(*api.list(kPods)[0]));
  settle();
  EXPECT_TRUE(sizes().empty()) << "one old pod still terminates";
  run_nodes();
  EXPECT_EQ(sizes(), (std::map<std::string, int64_t>{{"img:2", 2}}));
}

TEST_F(DeploymentTest, PausedItScalesButDoesNotRoll) {
  start(web(2));
  run_nodes();
  edit([](Value& document) { document.set({"spec", "paused"}, true); });
  EXPECT_EQ(progressing(), (Condition{"Unknown", "DeploymentPaused"}));
  set_image("img:2");
  scale(3);
  run_nodes();
  EXPECT_EQ(sizes(), (std::map<std::string, int64_t>{{"img:1", 3}}));
  edit([](Value& document) { document.set({"spec", "paused"}, false); });
  run_nodes();
  EXPECT_EQ(sizes(), (std::map<std::string, int64_t>{{"img:2", 3}}));
  EXPECT_EQ(progressing(), (Condition{"True", "NewReplicaSetAvailable"}));
}

TEST_F(DeploymentTest, ScalesBothSetsInProportion) {
  start(web(10, 3, 2));
  run_nodes();
  set_image("img:broken");
  for (int i = 0; i < 5; ++i) {
    for (const ObjectPtr& pod : api.list(kPods)) {
      if (pod->deleting()) api.remove(kPods, client::object_key(*pod));
    }
    settle();
  }
  ASSERT_EQ(sizes(), (std::map<std::string, int64_t>{{"img:1", 8}, {"img:broken", 5}}));
  scale(15);
  EXPECT_EQ(sizes(), (std::map<std::string, int64_t>{{"img:1", 11}, {"img:broken", 7}}));
}

TEST_F(DeploymentTest, TellsWhenTheDeadlineHasPassed) {
  start(web(1));
  simulation.run_for(59s);
  EXPECT_EQ(progressing(), (Condition{"True", "ReplicaSetUpdated"}));
  simulation.run_for(4s);
  EXPECT_EQ(progressing(), (Condition{"False", "ProgressDeadlineExceeded"}));
  run_nodes();
  EXPECT_EQ(progressing(), (Condition{"True", "NewReplicaSetAvailable"}));
}

TEST_F(DeploymentTest, ANameThatIsTakenIsAvoided) {
  Value document = web(1);
  ObjectPtr probe = object::make_object(document, 1);
  std::string hash = deployment::hash_of(*probe, 0);
  Value stranger = deployment::make_set(*probe, hash);
  stranger["metadata"].set("labels", Value::object({{"app", "other"}}));
  stranger["metadata"].erase("ownerReferences");
  stranger["spec"]["selector"].set("matchLabels", Value::object({{"app", "other"}}));
  api.put(kReplicaSets, std::move(stranger));
  start(std::move(document));
  EXPECT_EQ(api.list(kReplicaSets).size(), 2U);
  EXPECT_EQ(deployment()->status().at("collisionCount").as_int(), 1);
}

TEST_F(DeploymentTest, ARefusedSetIsReported) {
  api.fault = [](const Request& call) -> std::optional<Error> {
    if (call.resource != "replicasets" || call.verb != client::Verb::kCreate) return std::nullopt;
    return make_error(Reason::kForbidden, "exceeded quota");
  };
  start(web(1));
  EXPECT_EQ(progressing(), (Condition{"False", "ReplicaSetCreateError"}));
  EXPECT_EQ(messages("ReplicaSetCreateError").size(), 1U);
  api.fault = nullptr;
  simulation.run_for(20s);
  EXPECT_EQ(api.list(kReplicaSets).size(), 1U);
}

// The promise of a rolling update, whatever happens: never more pods than replicas + maxSurge, and once up never fewer
// available than replicas - maxUnavailable.
class RollingBounds : public DeploymentTest, public testing::WithParamInterface<uint64_t> {};

TEST_P(RollingBounds, HoldOverRandomHistories) {
  std::unique_ptr<Random> source = seeded_random(GetParam());
  Random& random = *source;
  auto replicas = static_cast<int64_t>(1 + random.below(8));
  auto surge = static_cast<int64_t>(random.below(4));
  auto unavailable = static_cast<int64_t>(random.below(4));
  if (surge == 0 && unavailable == 0) unavailable = 1;
  start(web(replicas, surge, unavailable));
  run_nodes();
  for (int step = 0; step < 200; ++step) {
    std::vector<ObjectPtr> pods = api.list(kPods);
    uint64_t action = random.below(12);
    if (action == 0) {
      set_image("img:" + std::to_string(random.below(5)));
    } else if (!pods.empty()) {
      ObjectPtr pod = pods[random.below(pods.size())];
      if (pod->deleting()) {
        api.remove(kPods, client::object_key(*pod));
      } else if (phase_of(*pod) == "Pending") {
        make_ready(pod);
      }
    }
    settle();
    int64_t alive = 0;
    int64_t available = 0;
    for (const ObjectPtr& pod : api.list(kPods)) {
      alive += !pod->deleting();
      available += !pod->deleting() && is_ready(*pod);
    }
    ASSERT_LE(alive, replicas + surge) << "step " << step;
    ASSERT_GE(available, replicas - unavailable) << "step " << step;
  }
  run_nodes(40);
  ASSERT_EQ(sizes().size(), 1U);
  EXPECT_EQ(sizes().begin()->second, replicas) << "every history ends with the new template only";
}

INSTANTIATE_TEST_SUITE_P(Seeds, RollingBounds, testing::Range<uint64_t>(1, 41));

TEST(RolloutCounts, PercentagesRoundSurgeUpAndUnavailabilityDown) {
  struct Case {
    int64_t replicas;
    Value surge;
    Value unavailable;
    int64_t expected_surge;
    int64_t expected_unavailable;
  };
  const Case cases[] = {
      {10, "25%", "25%", 3, 2}, {1, "25%", "25%", 1, 0}, {3, "25%", "25%", 1, 0}, {4, "0%", "10%", 0, 1},
      {3, 0, 0, 0, 1},          {2, 1, 5, 1, 2},         {0, "25%", "25%", 0, 0}, {5, "100%", "50%", 5, 2},
  };
  for (const Case& each : cases) {
    ObjectPtr made = object::make_object(web(each.replicas, each.surge, each.unavailable), 1);
    deployment::Bounds bounds = deployment::bounds_of(*made);
    EXPECT_EQ(bounds.surge, each.expected_surge) << each.replicas;
    EXPECT_EQ(bounds.unavailable, each.expected_unavailable) << each.replicas;
  }
}

TEST(RolloutCounts, ProportionsComeToTheWhole) {
  ObjectPtr made = object::make_object(web(15, 3, 2), 1);
  EXPECT_THAT(deployment::proportional_sizes(*made, {{8, 13}, {5, 13}}), ElementsAre(11, 7));
  ObjectPtr shrunk = object::make_object(web(5, 3, 2), 1);
  EXPECT_THAT(deployment::proportional_sizes(*shrunk, {{8, 13}, {5, 13}}), ElementsAre(5, 3));
  ObjectPtr none = object::make_object(web(0, 3, 2), 1);
  EXPECT_THAT(deployment::proportional_sizes(*none, {{8, 13}, {5, 13}}), ElementsAre(0, 0));
}

TEST(Revisions, TheHashLabelDoesNotCount) {
  ObjectPtr made = object::make_object(web(1), 1);
  Value set = deployment::make_set(*made, "abc");
  EXPECT_TRUE(deployment::same_template(set.at({"spec", "template"}), made->spec().at("template")));
  EXPECT_NE(deployment::hash_of(*made, 0), deployment::hash_of(*made, 1));
}

}  // namespace
}  // namespace stead::controllers
