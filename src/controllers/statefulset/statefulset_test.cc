// The StatefulSet controller on an API of a few lines and a node that obeys: scenarios, then safety rules over
// random histories.

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "client/fake_api.h"
#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "controllers/statefulset/identity.h"
#include "controllers/statefulset/revision_history.h"
#include "controllers/statefulset/statefulset_controller.h"
#include "loop/simulated_loop.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using namespace std::chrono_literals;

Value web_set(int64_t replicas) {
  Value labels = Value::object({{"app", "web"}});
  Value container = Value::object({{"name", "c"}, {"image", "img:1"}});
  Value claim = Value::object({{"metadata", Value::object({{"name", "data"}})},
                               {"spec", Value::object({{"accessModes", Value::array({"ReadWriteOnce"})}})}});
  return Value::object(
      {{"apiVersion", "apps/v1"},
       {"kind", "StatefulSet"},
       {"metadata", Value::object({{"name", "web"}, {"namespace", "default"}, {"generation", 1}})},
       {"spec",
        Value::object(
            {{"replicas", replicas},
             {"serviceName", "peers"},
             {"selector", Value::object({{"matchLabels", labels}})},
             {"updateStrategy",
              Value::object({{"type", "RollingUpdate"}, {"rollingUpdate", Value::object({{"partition", 0}})}})},
             {"template", Value::object({{"metadata", Value::object({{"labels", labels}})},
                                         {"spec", Value::object({{"containers", Value::array({container})}})}})},
             {"volumeClaimTemplates", Value::array({claim})}})}});
}

class StatefulSetTest : public testing::Test {
 protected:
  explicit StatefulSetTest(uint64_t seed = 1)
      : simulation(seed),
        loop(simulation.make_loop()),
        api(loop),
        events(api, loop, "statefulset-controller"),
        informers(api, loop),
        controller(api, loop, events, informers) {}

  void start(Value set) {
    api.put(kStatefulSets, std::move(set));
    informers.start();
    controller.start();
    settle();
  }
  void settle() { simulation.run_for(100us); }
  void edit(const std::function<void(Value& set)>& change) {
    api.change(kStatefulSets, "default/web", [&](Value& set) {
      change(set);
      set.set({"metadata", "generation"}, set.at({"metadata", "generation"}).as_int() + 1);
    });
    settle();
  }
  void scale(int64_t replicas) {
    edit([&](Value& set) { set.set({"spec", "replicas"}, replicas); });
  }
  void set_image(const std::string& image) {
    edit([&](Value& set) { set["spec"]["template"]["spec"]["containers"].mutable_items()[0].set("image", image); });
  }
  void run_pod(int ordinal) { set_phase(ordinal, "Running", true); }
  void set_phase(int ordinal, std::string_view phase, bool ready) {
    api.change(kPods, key(ordinal), [&](Value& pod) {
      pod.set({"spec", "nodeName"}, "node1");
      pod.set({"status", "phase"}, phase);
      pod.set({"status", "conditions"},
              Value::array({Value::object({{"type", "Ready"},
                                           {"status", ready ? "True" : "False"},
                                           {"lastTransitionTime", object::format_time(loop.wall_now())}})}));
    });
    settle();
  }
  // The node confirms that a terminating pod's containers are dead.
  void finish_pod(int ordinal) {
    ASSERT_TRUE(pod(ordinal) && pod(ordinal)->deleting()) << ordinal;
    api.remove(kPods, key(ordinal));
    settle();
  }
  void bring_up(int replicas) {
    start(web_set(replicas));
    for (int i = 0; i < replicas; ++i) run_pod(i);
    ASSERT_EQ(names(), names_up_to(replicas));
  }
  static std::string key(int ordinal) { return "default/web-" + std::to_string(ordinal); }
  ObjectPtr pod(int ordinal) const { return api.get(kPods, key(ordinal)); }
  ObjectPtr set() const { return api.get(kStatefulSets, "default/web"); }
  bool terminating(int ordinal) const { return pod(ordinal) && pod(ordinal)->deleting(); }
  std::string image(int ordinal) const {
    return std::string(pod(ordinal)->spec().at("containers").items()[0].at("image").as_string());
  }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const ObjectPtr& each : api.list(kPods)) all.emplace(each->name());
    return all;
  }
  static std::set<std::string> names_up_to(int replicas) {
    std::set<std::string> all;
    for (int i = 0; i < replicas; ++i) all.insert("web-" + std::to_string(i));
    return all;
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
  StatefulSetController controller;
};

TEST_F(StatefulSetTest, StartsInOrderEachAfterTheOneBeforeIsReady) {
  start(web_set(3));
  EXPECT_EQ(names(), names_up_to(1));
  set_phase(0, "Running", false);
  EXPECT_EQ(names(), names_up_to(1));
  run_pod(0);
  EXPECT_EQ(names(), names_up_to(2));
  run_pod(1);
  EXPECT_EQ(names(), names_up_to(3));
  run_pod(2);
  const Value& status = set()->status();
  EXPECT_EQ(status.at("replicas").as_int(), 3);
  EXPECT_EQ(status.at("readyReplicas").as_int(), 3);
  EXPECT_EQ(status.at("availableReplicas").as_int(), 3);
  EXPECT_EQ(status.at("observedGeneration").as_int(), 1);
  EXPECT_EQ(status.at("currentRevision"), status.at("updateRevision"));
  EXPECT_TRUE(event_texts().contains("SuccessfulCreate: create Pod web-0 in StatefulSet web successful"));
  EXPECT_TRUE(event_texts().contains("SuccessfulCreate: create Claim data-web-0 Pod web-0 in StatefulSet web success"));
}

TEST_F(StatefulSetTest, PodsBearTheirIdentity) {
  bring_up(2);
  const Value& metadata = pod(1)->metadata();
  EXPECT_EQ(metadata.at({"labels", "statefulset.kubernetes.io/pod-name"}).as_string(), "web-1");
  EXPECT_EQ(metadata.at({"labels", "apps.kubernetes.io/pod-index"}).as_string(), "1");
  EXPECT_EQ(metadata.at({"labels", "controller-revision-hash"}), set()->status().at("currentRevision"));
  EXPECT_EQ(metadata.at({"labels", "app"}).as_string(), "web");
  EXPECT_TRUE(controlled_by(*pod(1), *set()));
  EXPECT_EQ(pod(1)->spec().at("hostname").as_string(), "web-1");
  EXPECT_EQ(pod(1)->spec().at("subdomain").as_string(), "peers");
  EXPECT_EQ(pod(1)->spec().at("volumes").items()[0].at({"persistentVolumeClaim", "claimName"}).as_string(),
            "data-web-1");
  ObjectPtr claim = api.get(kClaims, "default/data-web-1");
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->metadata().at({"labels", "app"}).as_string(), "web");
  EXPECT_TRUE(claim->metadata().at("ownerReferences").empty());
}

TEST_F(StatefulSetTest, ParallelStartsAllAtOnce) {
  Value set = web_set(30);
  set.set({"spec", "podManagementPolicy"}, "Parallel");
  start(std::move(set));
  EXPECT_EQ(names(), names_up_to(30));
}

TEST_F(StatefulSetTest, OrdinalsCanStartElsewhere) {
  Value set = web_set(2);
  set.set({"spec", "ordinals", "start"}, 5);
  start(std::move(set));
  run_pod(5);
  EXPECT_EQ(names(), (std::set<std::string>{"web-5", "web-6"}));
}

TEST_F(StatefulSetTest, ScalesDownFromTheHighestAndWaitsForEachToBeGone) {
  bring_up(3);
  scale(0);
  EXPECT_TRUE(terminating(2));
  EXPECT_FALSE(terminating(1));
  finish_pod(2);
  EXPECT_TRUE(terminating(1));
  EXPECT_FALSE(terminating(0));
  finish_pod(1);
  finish_pod(0);
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(api.list(kClaims).size(), 3U);
  EXPECT_EQ(set()->status().at("replicas").as_int(), 0);
}

TEST_F(StatefulSetTest, ScalesDownOnlyWhileLowerPodsAreHealthy) {
  bring_up(3);
  set_phase(0, "Running", false);
  scale(1);
  EXPECT_FALSE(terminating(2));
  run_pod(0);
  EXPECT_TRUE(terminating(2));
}

TEST_F(StatefulSetTest, AnUnhealthyCondemnedPodCanBeScaledAway) {
  bring_up(2);
  set_phase(1, "Pending", false);
  scale(1);
  EXPECT_TRUE(terminating(1));
}

TEST_F(StatefulSetTest, ADeletedPodComesBackOnlyWhenItIsGone) {
  bring_up(2);
  client::Request request = delete_request(kPods, *pod(0));
  std::string old_uid(pod(0)->uid());
  api.call(request, [](auto) {});
  settle();
  EXPECT_TRUE(terminating(0));
  EXPECT_EQ(pod(0)->uid(), old_uid);
  finish_pod(0);
  ASSERT_TRUE(pod(0));
  EXPECT_NE(pod(0)->uid(), old_uid);
}

TEST_F(StatefulSetTest, FailedAndSucceededPodsAreReplaced) {
  bring_up(1);
  set_phase(0, "Failed", false);
  EXPECT_TRUE(terminating(0));
  EXPECT_TRUE(event_texts().contains("RecreatingFailedPod: StatefulSet default/web is recreating failed Pod web-0"));
  finish_pod(0);
  EXPECT_EQ(pod(0)->status().at("phase").as_string(), "Pending");
  set_phase(0, "Succeeded", false);
  EXPECT_TRUE(terminating(0));
}

TEST_F(StatefulSetTest, RollsFromTheHighestOneAtATime) {
  bring_up(3);
  std::string first_revision(set()->status().at("currentRevision").as_string());
  set_image("img:2");
  for (int i = 2; i >= 0; --i) {
    EXPECT_TRUE(terminating(i)) << i;
    for (int lower = 0; lower < i; ++lower) EXPECT_FALSE(terminating(lower)) << lower;
    finish_pod(i);
    EXPECT_EQ(image(i), "img:2");
    if (i > 0) {
      EXPECT_FALSE(terminating(i - 1));
    }
    run_pod(i);
  }
  EXPECT_EQ(set()->status().at("currentRevision"), set()->status().at("updateRevision"));
  EXPECT_NE(set()->status().at("currentRevision").as_string(), first_revision);
  EXPECT_EQ(set()->status().at("updatedReplicas").as_int(), 3);
  EXPECT_EQ(api.list(kRevisions).size(), 2U);
}

TEST_F(StatefulSetTest, UndoReusesTheOldRevision) {
  bring_up(1);
  ObjectPtr first = api.list(kRevisions)[0];
  set_image("img:2");
  finish_pod(0);
  run_pod(0);
  set_image("img:1");
  EXPECT_EQ(api.list(kRevisions).size(), 2U);
  EXPECT_EQ(set()->status().at("updateRevision").as_string(), first->name());
  EXPECT_EQ(api.get(kRevisions, client::object_key(*first))->document().at("revision").as_int(), 3);
}

TEST_F(StatefulSetTest, PartitionHoldsLowerPodsOnTheOldRevision) {
  bring_up(3);
  edit([](Value& set) { set.set({"spec", "updateStrategy", "rollingUpdate", "partition"}, 2); });
  set_image("img:2");
  finish_pod(2);
  run_pod(2);
  EXPECT_FALSE(terminating(1));
  EXPECT_EQ(image(2), "img:2");
  api.call(delete_request(kPods, *pod(0)), [](auto) {});
  settle();
  finish_pod(0);
  EXPECT_EQ(image(0), "img:1");
  EXPECT_NE(set()->status().at("currentRevision"), set()->status().at("updateRevision"));
}

TEST_F(StatefulSetTest, OnDeleteUpdatesOnlyWhatIsDeleted) {
  bring_up(2);
  edit([](Value& set) { set["spec"].set("updateStrategy", Value::object({{"type", "OnDelete"}})); });
  set_image("img:2");
  EXPECT_FALSE(terminating(1));
  api.call(delete_request(kPods, *pod(0)), [](auto) {});
  settle();
  finish_pod(0);
  EXPECT_EQ(image(0), "img:2");
  EXPECT_EQ(image(1), "img:1");
}

TEST_F(StatefulSetTest, MaxUnavailableRollsSeveralAtOnce) {
  bring_up(4);
  edit([](Value& set) { set.set({"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"}, "50%"); });
  set_image("img:2");
  EXPECT_TRUE(terminating(3) && terminating(2));
  EXPECT_FALSE(terminating(1));
}

// With maxUnavailable and without.
class ParallelUpdateTest : public StatefulSetTest, public testing::WithParamInterface<bool> {};

TEST_P(ParallelUpdateTest, BrokenPodsOfTheOldRevisionDoNotHoldItUp) {
  Value set_document = web_set(3);
  set_document.set({"spec", "podManagementPolicy"}, "Parallel");
  if (GetParam()) set_document.set({"spec", "updateStrategy", "rollingUpdate", "maxUnavailable"}, 1);
  start(std::move(set_document));
  for (int ordinal = 0; ordinal < 3; ++ordinal) set_phase(ordinal, "Pending", false);
  set_image("img:2");
  EXPECT_TRUE(terminating(2));
  EXPECT_FALSE(terminating(1));
  finish_pod(2);
  EXPECT_FALSE(terminating(1)) << "the new pod has to be available first";
  run_pod(2);
  EXPECT_TRUE(terminating(1));
}

INSTANTIATE_TEST_SUITE_P(Budgets, ParallelUpdateTest, testing::Bool());

TEST_F(StatefulSetTest, MinReadySecondsHoldsTheNextPodBack) {
  Value set_document = web_set(2);
  set_document.set({"spec", "minReadySeconds"}, 5);
  start(std::move(set_document));
  run_pod(0);
  EXPECT_EQ(names(), names_up_to(1));
  EXPECT_EQ(set()->status().at("readyReplicas").as_int(), 1);
  EXPECT_EQ(set()->status().at("availableReplicas").as_int(), 0);
  simulation.run_for(6s);
  EXPECT_EQ(names(), names_up_to(2));
  EXPECT_EQ(set()->status().at("availableReplicas").as_int(), 1);
  // Nothing but time passes now.
  run_pod(1);
  simulation.run_for(6s);
  EXPECT_EQ(set()->status().at("availableReplicas").as_int(), 2);
}

TEST_F(StatefulSetTest, HistoryIsCut) {
  Value set_document = web_set(0);
  set_document.set({"spec", "revisionHistoryLimit"}, 2);
  start(std::move(set_document));
  for (int i = 2; i < 10; ++i) set_image("img:" + std::to_string(i));
  EXPECT_EQ(api.list(kRevisions).size(), 3U);  // the current one and two old ones
}

TEST_F(StatefulSetTest, ClaimsAreOwnedAsRetentionSays) {
  Value set_document = web_set(2);
  set_document.set({"spec", "persistentVolumeClaimRetentionPolicy"},
                   Value::object({{"whenDeleted", "Delete"}, {"whenScaled", "Delete"}}));
  start(std::move(set_document));
  run_pod(0);
  run_pod(1);
  EXPECT_TRUE(controlled_by(*api.get(kClaims, "default/data-web-1"), *set()));
  ObjectPtr condemned = pod(1);
  scale(1);
  EXPECT_TRUE(controlled_by(*api.get(kClaims, "default/data-web-1"), *condemned));
  EXPECT_TRUE(controlled_by(*api.get(kClaims, "default/data-web-0"), *set()));
  finish_pod(1);
  scale(2);
  EXPECT_FALSE(pod(1)) << "its claim is about to be collected";
  api.remove(kClaims, "default/data-web-1");
  settle();
  EXPECT_TRUE(pod(1));
}

TEST_F(StatefulSetTest, AdoptsOrphansAndLeavesOthersAlone) {
  bring_up(2);
  api.change(kPods, key(0), [](Value& pod) { pod["metadata"].erase("ownerReferences"); });
  settle();
  EXPECT_TRUE(controlled_by(*pod(0), *set()));
  api.change(kPods, key(0), [](Value& pod) { pod["metadata"]["labels"].set("app", "other"); });
  settle();
  EXPECT_EQ(controller_of(*pod(0)), nullptr) << "released: the selector no longer matches";
  EXPECT_FALSE(terminating(0));
  api.remove(kPods, key(0));
  settle();
  EXPECT_TRUE(controlled_by(*pod(0), *set())) << "made anew as soon as the name is free";
}

TEST_F(StatefulSetTest, ANewSetWaitsForThePodsOfTheOldOne) {
  bring_up(1);
  std::string old_uid(pod(0)->uid());
  Value again = web_set(1);
  api.remove(kStatefulSets, "default/web");
  settle();
  api.put(kStatefulSets, std::move(again));
  settle();
  EXPECT_EQ(pod(0)->uid(), old_uid);
  api.remove(kPods, key(0));
  settle();
  EXPECT_TRUE(pod(0) && controlled_by(*pod(0), *set()));
}

// Safety over random histories: whatever the user and the nodes do, at every step
//  - replicas appear in the order of ordinals and only after all lower ones were available (OrderedReady),
//  - at most one pod is ended by the controller at a time, the highest,
//  - no claim is deleted.
class RandomHistory : public StatefulSetTest, public testing::WithParamInterface<int> {
 protected:
  RandomHistory() : StatefulSetTest(static_cast<uint64_t>(GetParam())) {}

  void check_call(const client::Request& request) {
    ASSERT_FALSE(request.verb == client::Verb::kDelete && request.resource == "persistentvolumeclaims");
    if (request.resource != "pods") return;
    if (request.verb == client::Verb::kCreate) {
      int64_t ordinal = statefulset::parse_pod_name(request.body.at({"metadata", "name"}).as_string())->ordinal;
      EXPECT_LT(ordinal, set()->spec().at("replicas").as_int());
      for (int lower = 0; lower < ordinal; ++lower) {
        EXPECT_TRUE(pod(lower) && !terminating(lower)) << "web-" << ordinal << " made before web-" << lower;
        if (pod(lower)) {
          EXPECT_EQ(pod(lower)->status().at("phase").as_string(), "Running");
        }
      }
    }
    if (request.verb == client::Verb::kDelete) {
      for (const ObjectPtr& other : api.list(kPods)) {
        // A pod that was ending before the scale-down condemned it does not hold up those above it.
        if (statefulset::ordinal_of(*other) >= set()->spec().at("replicas").as_int() &&
            statefulset::ordinal_of(*other) < statefulset::parse_pod_name(request.name)->ordinal) {
          continue;
        }
        EXPECT_FALSE(other->deleting()) << request.name << " ended while " << other->name() << " still ends";
      }
      int64_t replicas = set()->spec().at("replicas").as_int();
      int64_t ordinal = statefulset::parse_pod_name(request.name)->ordinal;
      for (const ObjectPtr& other : api.list(kPods)) {
        int64_t higher = statefulset::ordinal_of(*other);
        if (ordinal >= replicas) {
          EXPECT_LE(higher, ordinal) << "scale-down ends the highest first";
        }
      }
    }
  }
};

TEST_P(RandomHistory, KeepsTheSafetyRules) {
  auto random = seeded_random(static_cast<uint64_t>(GetParam()));
  bool watched = true;
  api.fault = [&](const client::Request& request) -> std::optional<Error> {
    if (watched) check_call(request);
    if (random->below(10) == 0) return make_error(Reason::kUnavailable, "try again");
    return std::nullopt;
  };
  start(web_set(3));
  for (int step = 0; step < 200 && !HasFailure(); ++step) {
    int ordinal = static_cast<int>(random->below(6));
    switch (random->below(7)) {
      case 0:
        scale(static_cast<int64_t>(random->below(6)));
        break;
      case 1:
        set_image("img:" + std::to_string(random->below(3)));
        break;
      case 2:
      case 3:
        if (pod(ordinal) && !terminating(ordinal)) run_pod(ordinal);
        break;
      case 4:
        if (pod(ordinal) && !terminating(ordinal)) set_phase(ordinal, "Running", false);
        break;
      default:
        if (terminating(ordinal)) finish_pod(ordinal);
        break;
    }
    if (random->below(4) == 0) simulation.run_for(20s);
  }
  // Left in peace, it converges.
  watched = false;
  api.fault = nullptr;
  for (int round = 0; round < 60; ++round) {
    simulation.run_for(20s);
    for (const ObjectPtr& each : api.list(kPods)) {
      int ordinal = static_cast<int>(statefulset::ordinal_of(*each));
      if (each->deleting()) {
        finish_pod(ordinal);
      } else {
        run_pod(ordinal);
      }
    }
  }
  auto replicas = static_cast<int>(set()->spec().at("replicas").as_int());
  EXPECT_EQ(names(), names_up_to(replicas));
  for (int i = 0; i < replicas; ++i) {
    EXPECT_EQ(statefulset::revision_of(*pod(i)), set()->status().at("updateRevision").as_string());
  }
  EXPECT_EQ(set()->status().at("readyReplicas").as_int(), replicas);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, testing::Range(1, 31));

}  // namespace
}  // namespace stead::controllers
