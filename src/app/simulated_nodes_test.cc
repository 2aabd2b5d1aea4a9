#include "app/simulated_nodes.h"

#include <gtest/gtest.h>

#include <set>

namespace stead::app {
namespace {

TEST(PlaceSimulatedNodes, NumbersThemFromOne) {
  auto places = place_simulated_nodes(3, "", "10.42.0.0/16", "10.43.0.0/16");
  ASSERT_TRUE(places.ok());
  EXPECT_EQ(places->at(0).name, "node-1");
  EXPECT_EQ(places->at(2).name, "node-3");
  EXPECT_EQ(places->at(0).pod_range, "10.42.0.0/24");
  EXPECT_EQ(places->at(2).pod_range, "10.42.2.0/24");
  EXPECT_EQ(places->at(1).address, "198.18.0.2");
}

TEST(PlaceSimulatedNodes, OneTakesTheGivenName) {
  EXPECT_EQ(place_simulated_nodes(1, "here", "10.42.0.0/16", "10.43.0.0/16")->at(0).name, "here");
  EXPECT_EQ(place_simulated_nodes(1, "", "10.42.0.0/16", "10.43.0.0/16")->at(0).name, "node-1");
}

TEST(PlaceSimulatedNodes, ManyGoOnPastTheServices) {
  auto places = place_simulated_nodes(5000, "", "10.42.0.0/16", "10.43.0.0/16");
  ASSERT_TRUE(places.ok());
  EXPECT_EQ(places->at(255).pod_range, "10.42.255.0/24");
  EXPECT_EQ(places->at(256).pod_range, "10.44.0.0/24");
  std::set<std::string> ranges, addresses;
  for (const SimulatedNodePlace& place : *places) {
    ranges.insert(place.pod_range);
    addresses.insert(place.address);
  }
  EXPECT_EQ(ranges.size(), 5000U);
  EXPECT_EQ(addresses.size(), 5000U);
}

TEST(PlaceSimulatedNodes, NamesTheOptionThatIsWrong) {
  auto nonsense = place_simulated_nodes(1, "", "10.42", "10.43.0.0/16");
  ASSERT_FALSE(nonsense.ok());
  EXPECT_NE(nonsense.error().message.find("--pod-cidr"), std::string::npos);
  EXPECT_FALSE(place_simulated_nodes(300, "", "255.255.0.0/16", "10.43.0.0/16").ok());
}

}  // namespace
}  // namespace stead::app
