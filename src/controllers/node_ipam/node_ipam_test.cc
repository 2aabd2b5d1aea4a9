#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/node_ipam/range_controller.h"
#include "controllers/node_ipam/range_policy.h"
#include "loop/simulated_loop.h"
#include "object/codec.h"

namespace stead::controllers {
namespace {

using object::Value;

Ipv4Range range(const char* text) { return *Ipv4Range::parse(text); }

std::string next(const char* cluster, std::vector<const char*> taken) {
  std::vector<Ipv4Range> ranges;
  ranges.reserve(taken.size());
  for (const char* one : taken) ranges.push_back(range(one));
  auto free = node_ipam::free_range(range(cluster), ranges);
  return free ? free->text() : "none";
}

TEST(RangePolicyTest, TheLowestFreePartIsTaken) {
  EXPECT_EQ(next("10.42.0.0/16", {}), "10.42.0.0/24");
  EXPECT_EQ(next("10.42.0.0/16", {"10.42.2.0/24", "10.42.0.0/24"}), "10.42.1.0/24");
  EXPECT_EQ(next("10.42.0.0/16", {"10.42.0.0/22"}), "10.42.4.0/24");
  EXPECT_EQ(next("10.42.0.0/16", {"10.42.0.128/25"}), "10.42.1.0/24");
  EXPECT_EQ(next("10.42.0.0/16", {"10.0.0.0/24", "10.42.1.0/24"}), "10.42.0.0/24");
  EXPECT_EQ(next("10.42.0.0/24", {"10.42.0.0/24"}), "none");
  EXPECT_EQ(next("255.255.255.0/24", {}), "255.255.255.0/24");
  EXPECT_EQ(next("255.255.255.0/24", {"255.255.255.0/24"}), "none");
}

TEST(RangePolicyTest, RangesThatAreNoneAreRefused) {
  for (const char* bad : {"", "10.42.0.0", "10.42.0.0/33", "10.42.0.0/-1", "10.42.0.0/2x", "10.42.0/16", "::/0"}) {
    EXPECT_FALSE(Ipv4Range::parse(bad)) << bad;
  }
  EXPECT_EQ(range("10.42.7.9/16").text(), "10.42.0.0/16");
  EXPECT_TRUE(range("0.0.0.0/0").holds("255.255.255.255"));
}

class NodeRangeTest : public testing::Test {
 protected:
  void start(const char* cluster) {
    controller = std::make_unique<NodeRangeController>(api, loop, events, informers, cluster, "b");
    controller->start();
    informers.start();
    simulation.run_for(std::chrono::seconds(1));
  }
  void add(const std::string& name, const std::string& own = {}) {
    Value spec = Value::object();
    if (!own.empty()) spec.set("podCIDR", own);
    api.put({"", "nodes"}, Value::object({{"apiVersion", "v1"},
                                          {"kind", "Node"},
                                          {"metadata", Value::object({{"name", name}})},
                                          {"spec", std::move(spec)}}));
  }
  std::string of(const std::string& name) {
    simulation.run_for(std::chrono::seconds(1));
    return std::string(api.get({"", "nodes"}, name)->spec().at("podCIDR").as_string());
  }

  loop::Simulation simulation{1};
  loop::SimulatedLoop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::InformerSet informers{api, loop};
  client::EventRecorder events{api, loop, "test"};
  std::unique_ptr<NodeRangeController> controller;
};

TEST_F(NodeRangeTest, EveryNodeGetsOneOfItsOwnAndKeepsIt) {
  add("old", "10.42.1.0/24");
  start("10.42.0.0/16");
  for (const char* name : {"a", "b", "c"}) add(name);
  EXPECT_EQ(of("a"), "10.42.0.0/24");
  EXPECT_EQ(of("b"), "10.42.2.0/24");
  EXPECT_EQ(of("c"), "10.42.3.0/24");
  EXPECT_EQ(of("old"), "10.42.1.0/24");
  EXPECT_EQ(api.get({"", "nodes"}, "a")->spec().at("podCIDRs").items()[0].as_string(), "10.42.0.0/24");
}

TEST_F(NodeRangeTest, WithItComesTheRoleOnce) {
  start("10.42.0.0/16");
  auto labels = [this](const std::string& name) {
    of(name);
    return object::to_json(api.get({"", "nodes"}, name)->metadata().at("labels"));
  };
  for (const char* name : {"a", "b", "c"}) add(name);
  EXPECT_EQ(labels("a"), R"({"node-role.kubernetes.io/worker":""})");
  EXPECT_EQ(labels("b"), R"({"node-role.kubernetes.io/control-plane":""})");
  api.change({"", "nodes"}, "a", [](Value& node) { node["metadata"].erase("labels"); });
  EXPECT_EQ(labels("a"), "null");
  api.put({"", "nodes"},
          Value::object({{"apiVersion", "v1"},
                         {"kind", "Node"},
                         {"metadata", Value::object({{"name", "d"},
                                                     {"labels", Value::object({{"node-role.kubernetes.io/db", ""}})}})},
                         {"spec", Value::object()}}));
  EXPECT_EQ(labels("d"), R"({"node-role.kubernetes.io/db":""})");
}

TEST_F(NodeRangeTest, AFullClusterSaysSoAndARemovedNodeMakesRoom) {
  start("10.42.0.0/23");
  for (const char* name : {"a", "b", "c"}) add(name);
  EXPECT_EQ(of("c"), "");
  ASSERT_EQ(api.list({"", "events"}).size(), 1u);
  EXPECT_EQ(api.list({"", "events"})[0]->document().at("reason").as_string(), "CIDRNotAvailable");
  api.remove({"", "nodes"}, "a");
  EXPECT_EQ(of("c"), "10.42.0.0/24");
}

TEST_F(NodeRangeTest, NodesAreLeftAloneWithoutARange) {
  start("");
  add("a");
  EXPECT_EQ(of("a"), "");
}

}  // namespace
}  // namespace stead::controllers
