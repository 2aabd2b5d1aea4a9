#include "scheduler/scheduling_policy.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "scheduler/test_cluster.h"

namespace stead::scheduler {
namespace {

constexpr char kHost[] = "kubernetes.io/hostname";
constexpr char kZone[] = "topology.kubernetes.io/zone";

Value zoned(const std::string& name, const std::string& zone) {
  return test_node(name, "4", Value::object({{kZone, zone}}));
}

Value labelled(const std::string& name, const std::string& app) {
  Value document = test_pod(name);
  document["metadata"]["labels"].set("app", app);
  return document;
}

TEST(SchedulingPolicy, AffinityLeadsToThePodsItMeans) {
  TestCluster cluster;
  for (const char* name : {"n1", "n2", "n3"}) cluster.add_node(test_node(name));
  cluster.run(labelled("db", "db"), "n2");
  Value web = test_pod("web");
  required_terms(web, "podAffinity").append(test_term(kHost, "db"));
  EXPECT_EQ(cluster.choose(web).node, "n2");
  required_terms(web, "podAffinity").append(test_term(kHost, "cache"));
  EXPECT_NE(cluster.choose(web).failure.find("3 node(s) didn't match pod affinity rules"), std::string::npos);
}

TEST(SchedulingPolicy, TheFirstOfAGroupMayGoAnywhere) {
  TestCluster cluster;
  cluster.add_node(test_node("n1"));
  cluster.add_node(test_node("n2"));
  Value first = test_pod("first");
  required_terms(first, "podAffinity").append(test_term(kHost, "a"));
  EXPECT_NE(cluster.choose(first).node, "");
  cluster.run(test_pod("other"), "n2");
  EXPECT_EQ(cluster.choose(first).node, "n2");
}

TEST(SchedulingPolicy, NamespacesOfATermAreNamedOrSelected) {
  TestCluster cluster;
  cluster.namespaces.set("default", Value::object());
  cluster.namespaces.set("blue", Value::object({{"team", "blue"}}));
  cluster.add_node(test_node("n1"));
  Value stranger = labelled("stranger", "a");
  stranger["metadata"].set("namespace", "blue");
  cluster.run(stranger, "n1");
  Value pod = test_pod("pod");
  required_terms(pod, "podAntiAffinity").append(test_term(kHost, "a"));
  EXPECT_EQ(cluster.choose(pod).node, "n1") << "a term without namespaces means the pod's own";
  Value& term = required_terms(pod, "podAntiAffinity").mutable_items()[0];
  term.set("namespaces", Value::array({"blue"}));
  EXPECT_EQ(cluster.choose(pod).node, "");
  term.erase("namespaces");
  term.set({"namespaceSelector", "matchLabels", "team"}, "red");
  EXPECT_EQ(cluster.choose(pod).node, "n1");
  term.set({"namespaceSelector", "matchLabels", "team"}, "blue");
  EXPECT_EQ(cluster.choose(pod).node, "");
}

TEST(SchedulingPolicy, PreferencesOfThisPodAndOfOthersCount) {
  TestCluster cluster;
  for (const char* name : {"n1", "n2", "n3"}) cluster.add_node(test_node(name));
  cluster.run(labelled("db", "db"), "n3");
  Value web = test_pod("web");
  prefer(web, "podAffinity", 100, test_term(kHost, "db"));
  EXPECT_EQ(cluster.choose(web).node, "n3");
  // What runs already may have wishes about the newcomer.
  TestCluster shy;
  for (const char* name : {"n1", "n2"}) shy.add_node(test_node(name));
  Value loner = labelled("loner", "db");
  prefer(loner, "podAntiAffinity", 100, test_term(kHost, "a"));
  shy.run(loner, "n1");
  shy.run(labelled("x1", "x"), "n2");
  shy.run(labelled("x2", "x"), "n2");
  EXPECT_EQ(shy.choose(test_pod("web")).node, "n2");
}

TEST(SchedulingPolicy, SpreadKeepsTheSkew) {
  TestCluster cluster;
  cluster.add_node(zoned("n1", "east"));
  cluster.add_node(zoned("n2", "west"));
  cluster.add_node(test_node("nowhere"));
  cluster.run(test_pod("a1"), "n1");
  Value pod = test_pod("pod");
  spread(pod, kZone, 1, "DoNotSchedule");
  EXPECT_EQ(cluster.choose(pod).node, "n2");
  cluster.run(test_pod("a2"), "n1");
  cluster.run(test_pod("a3"), "n2");
  EXPECT_EQ(cluster.choose(pod).node, "n2");
  // Two zones where three are asked for: the third counts as empty.
  Value three = test_pod("three");
  spread(three, kZone, 1, "DoNotSchedule", 3);
  std::string why = cluster.choose(three).failure;
  EXPECT_NE(why.find("2 node(s) didn't match pod topology spread constraints."), std::string::npos) << why;
  EXPECT_NE(why.find("1 node(s) didn't match pod topology spread constraints (missing required label)"),
            std::string::npos);
}

TEST(SchedulingPolicy, SoftSpreadPrefersTheEmptiestDomainWithTheKey) {
  TestCluster cluster;
  cluster.add_node(test_node("nowhere"));
  cluster.add_node(zoned("n1", "east"));
  cluster.add_node(zoned("n2", "west"));
  cluster.run(test_pod("a1"), "n1");
  Value pod = test_pod("pod");
  spread(pod, kZone, 1, "ScheduleAnyway");
  EXPECT_EQ(cluster.choose(pod).node, "n2");
}

TEST(SchedulingPolicy, TaintsOfTheSoftKindAreAvoided) {
  TestCluster cluster;
  Value tainted = test_node("n1");
  tainted["spec"]["taints"].append(Value::object({{"key", "k"}, {"effect", "PreferNoSchedule"}}));
  cluster.add_node(tainted);
  cluster.add_node(test_node("n2"));
  EXPECT_EQ(cluster.choose(test_pod("pod")).node, "n2");
  Value tolerant = test_pod("tolerant");
  tolerant["spec"]["tolerations"].append(Value::object({{"key", "k"}, {"operator", "Exists"}}));
  cluster.run(test_pod("a1"), "n2");
  EXPECT_EQ(cluster.choose(tolerant).node, "n1");
}

TEST(SchedulingPolicy, HostPortsDoNotClash) {
  TestCluster cluster;
  cluster.add_node(test_node("n1"));
  auto with_port = [](const std::string& name, const char* ip) {
    Value document = test_pod(name);
    document["spec"]["containers"].mutable_items()[0]["ports"].append(
        Value::object({{"hostPort", 8300}, {"containerPort", 8300}, {"protocol", "TCP"}, {"hostIP", ip}}));
    return document;
  };
  cluster.run(with_port("first", "192.0.2.1"), "n1");
  EXPECT_EQ(cluster.choose(with_port("second", "192.0.2.2")).node, "n1");
  EXPECT_NE(cluster.choose(with_port("third", "0.0.0.0")).failure.find("didn't have free ports"), std::string::npos);
}

TEST(SchedulingPolicy, TheReasonsAreCountedPerNode) {
  TestCluster cluster;
  Value tainted = test_node("n1");
  tainted["spec"]["taints"].append(Value::object({{"key", "k"}, {"effect", "NoSchedule"}}));
  cluster.add_node(tainted);
  cluster.add_node(test_node("n2", "1"));
  cluster.add_node(test_node("n3", "1"));
  cluster.run(test_pod("a1", "500m"), "n2");
  EXPECT_EQ(cluster.choose(test_pod("pod", "1")).node, "n3");
  cluster.run(test_pod("a2", "500m"), "n3");
  EXPECT_EQ(cluster.choose(test_pod("pod", "1")).failure,
            "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 nodes "
            "are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming "
            "pod.");
}

// Random clusters and pods: whatever is chosen breaks no rule, checked by plain counting.
class RandomCluster {
 public:
  explicit RandomCluster(uint64_t seed) : random_(seeded_random(seed)) {
    for (uint64_t i = 0; i < 3 + random_->below(5); ++i) {
      std::string name = "n" + std::to_string(i);
      cluster_.add_node(zoned(name, "z" + std::to_string(random_->below(3))));
      zone_[name] = std::string(cluster_.state.nodes().at(name).node->metadata().at({"labels", kZone}).as_string());
    }
  }

  // Puts one random pod; the text of the rule it breaks where it landed.
  std::string step(int number) {
    static const std::vector<std::string> kApps = {"a", "b", "c"};
    Value document = labelled("p" + std::to_string(number), kApps[random_->below(3)]);
    const std::string& other = kApps[random_->below(3)];
    const char* key = random_->below(2) == 0 ? kHost : kZone;
    uint64_t rule = random_->below(4);
    if (rule == 0) required_terms(document, "podAntiAffinity").append(test_term(key, other));
    if (rule == 1) required_terms(document, "podAffinity").append(test_term(key, other));
    if (rule == 2) spread(document, key, 1 + static_cast<int64_t>(random_->below(2)), "DoNotSchedule");
    Choice choice = cluster_.choose(document);
    if (choice.node.empty()) return {};
    std::string broken = check(document, choice.node);
    PodInfoPtr info = cluster_.run(document, choice.node);
    placed_.push_back({info, choice.node});
    if (random_->below(5) == 0) {
      auto gone = placed_.begin() + static_cast<int64_t>(random_->below(placed_.size()));
      cluster_.state.remove_pod("default/" + std::string(gone->first->pod->name()));
      placed_.erase(gone);
    }
    return broken;
  }

 private:
  std::string domain(const std::string& node, std::string_view key) const {
    return key == kHost ? node : zone_.at(node);
  }
  static bool means(const Value& term, const Object& pod) {
    return term.at({"labelSelector", "matchLabels", "app"}) == pod.metadata().at({"labels", "app"});
  }
  int64_t met(const Value& term, const std::string& node) const {
    int64_t count = 0;
    std::string_view key = term.at("topologyKey").as_string();
    for (const auto& [pod, where] : placed_) {
      if (means(term, *pod->pod) && domain(where, key) == domain(node, key)) ++count;
    }
    return count;
  }

  std::string check(const Value& document, const std::string& node) const {
    ObjectPtr pod = object::make_object(document, 1);
    Value copy = document;
    for (const Value& term : required_terms(copy, "podAntiAffinity").items()) {
      if (met(term, node) > 0) return "own anti-affinity on " + node;
    }
    for (const Value& term : required_terms(copy, "podAffinity").items()) {
      bool nobody = true;
      for (const auto& [other, where] : placed_) nobody = nobody && !means(term, *other->pod);
      if (met(term, node) == 0 && !(nobody && means(term, *pod))) return "own affinity on " + node;
    }
    for (const auto& [other, where] : placed_) {
      Value theirs = other->pod->document();
      for (const Value& term : required_terms(theirs, "podAntiAffinity").items()) {
        std::string_view key = term.at("topologyKey").as_string();
        if (means(term, *pod) && domain(where, key) == domain(node, key)) return "another's anti-affinity on " + node;
      }
    }
    for (const Value& constraint : document.at({"spec", "topologySpreadConstraints"}).items()) {
      int64_t least = INT64_MAX;
      for (const auto& [name, zone] : zone_) least = std::min(least, met(constraint, name));
      int64_t self = means(constraint, *pod) ? 1 : 0;
      if (met(constraint, node) + self - least > constraint.at("maxSkew").as_int()) return "skew on " + node;
    }
    return {};
  }

  std::unique_ptr<Random> random_;
  TestCluster cluster_;
  std::map<std::string, std::string> zone_;
  std::vector<std::pair<PodInfoPtr, std::string>> placed_;
};

TEST(SchedulingPolicy, NoChoiceBreaksARule) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RandomCluster cluster(seed);
    for (int number = 0; number < 40; ++number) {
      ASSERT_EQ(cluster.step(number), "") << "seed " << seed << ", pod " << number;
    }
  }
}

}  // namespace
}  // namespace stead::scheduler
