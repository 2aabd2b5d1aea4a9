#include "scheduler/preemption.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "scheduler/test_cluster.h"

namespace stead::scheduler {
namespace {

std::set<std::string> names(const std::vector<PodInfoPtr>& pods) {
  std::set<std::string> all;
  for (const PodInfoPtr& pod : pods) all.emplace(pod->pod->name());
  return all;
}

std::string tail(const Choice& choice) { return choice.failure.substr(choice.failure.find("cpu.")); }

TEST(Preemption, TheLeastImportantMakeWay) {
  TestCluster cluster;
  cluster.add_node(test_node("n1", "1"));
  cluster.add_node(test_node("n2", "1"));
  cluster.run(test_pod("low", "500m", 1), "n1");
  cluster.run(test_pod("middle", "500m", 5), "n1");
  cluster.run(test_pod("other", "1", 7), "n2");
  Choice choice = cluster.choose(test_pod("high", "500m", 10));
  EXPECT_EQ(choice.node, "");
  EXPECT_EQ(choice.nominated_node, "n1");
  EXPECT_EQ(names(choice.victims), std::set<std::string>{"low"});
  EXPECT_EQ(choice.failure, "0/2 nodes are available: 2 Insufficient cpu.");
}

TEST(Preemption, EqualsStay) {
  TestCluster cluster;
  cluster.add_node(test_node("n1", "1"));
  cluster.run(test_pod("low", "1", 5), "n1");
  Choice choice = cluster.choose(test_pod("high", "500m", 5));
  EXPECT_EQ(choice.nominated_node, "");
  EXPECT_EQ(tail(choice), "cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.");
}

TEST(Preemption, PolicyNeverWaits) {
  TestCluster cluster;
  cluster.add_node(test_node("n1", "1"));
  cluster.run(test_pod("low", "1", 1), "n1");
  Value polite = test_pod("polite", "500m", 10);
  polite["spec"].set("preemptionPolicy", "Never");
  Choice choice = cluster.choose(polite);
  EXPECT_TRUE(choice.victims.empty());
  EXPECT_EQ(tail(choice), "cpu. preemption: not eligible due to preemptionPolicy=Never.");
}

TEST(Preemption, NotWhereItCannotHelp) {
  TestCluster cluster;
  cluster.add_node(test_node("n1", "1"));
  cluster.run(test_pod("low", "1", 1), "n1");
  Value picky = test_pod("picky", "500m", 10);
  picky.set({"spec", "nodeSelector", "disk"}, "ssd");
  EXPECT_EQ(cluster.choose(picky).nominated_node, "");
  EXPECT_EQ(cluster.choose(test_pod("huge", "2", 10)).nominated_node, "");
}

TEST(Preemption, AntiAffinityCanBeLiftedToo) {
  TestCluster cluster;
  cluster.add_node(test_node("n1"));
  cluster.run(test_pod("low", "100m", 1), "n1");
  Value high = test_pod("high", "100m", 10);
  required_terms(high, "podAntiAffinity").append(test_term("kubernetes.io/hostname", "a"));
  Choice choice = cluster.choose(high);
  EXPECT_EQ(choice.nominated_node, "n1");
  EXPECT_EQ(names(choice.victims), std::set<std::string>{"low"});
}

TEST(Preemption, BudgetsAreBrokenLast) {
  TestCluster cluster;
  cluster.add_node(test_node("n1", "1"));
  cluster.add_node(test_node("n2", "1"));
  Value covered = test_pod("covered", "1", 1);
  covered["metadata"]["labels"].set("app", "db");
  cluster.run(covered, "n1");
  cluster.run(test_pod("free", "1", 5), "n2");
  Value budget = Value::object({{"metadata", Value::object({{"name", "db"}, {"namespace", "default"}})}});
  budget.set({"spec", "selector", "matchLabels", "app"}, "db");
  budget.set({"status", "disruptionsAllowed"}, 0);
  cluster.disruption_budgets.push_back(object::make_object(budget, 1));
  EXPECT_EQ(cluster.choose(test_pod("high", "1", 10)).nominated_node, "n2") << "though its pod matters more";
  budget.set({"status", "disruptionsAllowed"}, 1);
  cluster.disruption_budgets = {object::make_object(budget, 1)};
  EXPECT_EQ(cluster.choose(test_pod("high", "1", 10)).nominated_node, "n1");
}

TEST(Preemption, RoomIsKeptForWhomItWasMade) {
  TestCluster cluster;
  cluster.add_node(test_node("n1", "1"));
  Value high = test_pod("high", "1", 10);
  high["status"].set("nominatedNodeName", "n1");
  cluster.state.nominate(info_of(high), "n1");
  EXPECT_EQ(cluster.choose(test_pod("low", "500m", 1)).node, "");
  EXPECT_EQ(cluster.choose(test_pod("higher", "500m", 20)).node, "n1");
  EXPECT_EQ(cluster.choose(high).node, "n1");
}

TEST(Preemption, WaitsForVictimsOnTheirWay) {
  TestCluster cluster;
  cluster.add_node(test_node("n1", "1"));
  Value leaving = test_pod("leaving", "1", 1);
  leaving["metadata"].set("deletionTimestamp", "2025-01-01T00:00:00Z");
  cluster.run(leaving, "n1");
  Value high = test_pod("high", "1", 10);
  high["status"].set("nominatedNodeName", "n1");
  Choice choice = cluster.choose(high);
  EXPECT_TRUE(choice.victims.empty());
  EXPECT_EQ(choice.nominated_node, "n1");
  EXPECT_EQ(tail(choice), "cpu. preemption: not eligible due to a terminating pod on the nominated node.");
}

// Random clusters: victims are all less important, without them the pod fits, with any one of them it does not.
TEST(Preemption, VictimsAreEnoughAndNoneTooMany) {
  int preempted = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    auto random = seeded_random(seed);
    TestCluster cluster;
    for (int node = 0; node < 3; ++node) cluster.add_node(test_node("n" + std::to_string(node), "1"));
    for (int number = 0; number < 15; ++number) {
      Value pod = test_pod("p" + std::to_string(number), std::to_string(100 + random->below(300)) + "m",
                           static_cast<int64_t>(random->below(10)));
      if (random->below(4) == 0) {
        required_terms(pod, "podAntiAffinity").append(test_term("kubernetes.io/hostname", "b"));
      }
      std::string node = cluster.choose(pod).node;
      if (!node.empty()) cluster.run(pod, node);
    }
    Value high = test_pod("high", std::to_string(300 + random->below(600)) + "m", 8);
    if (random->below(2) == 0) high["metadata"]["labels"].set("app", "b");
    Choice choice = cluster.choose(high);
    if (choice.nominated_node.empty()) continue;
    ++preempted;
    PodInfoPtr info = info_of(high);
    PodFilters filters(*info, cluster.state, cluster.storage, cluster.labels);
    const NodeInfo& node = cluster.state.nodes().at(choice.nominated_node);
    PodFilters::Trial trial(filters, node);
    for (const PodInfoPtr& victim : choice.victims) {
      EXPECT_LT(victim->priority, 8) << "seed " << seed;
      trial.remove(victim);
    }
    EXPECT_TRUE(trial.check().ok()) << "seed " << seed;
    for (const PodInfoPtr& victim : choice.victims) {
      trial.add(victim);
      EXPECT_FALSE(trial.check().ok()) << "seed " << seed << ": " << victim->pod->name() << " could have stayed";
      trial.remove(victim);
    }
  }
  EXPECT_GT(preempted, 20);
}

}  // namespace
}  // namespace stead::scheduler
