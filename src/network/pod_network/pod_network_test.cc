#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "network/pod_network/masquerade.h"
#include "network/pod_network/node_link.h"
#include "network/pod_network/peer_routes_adapter.h"

namespace stead::network {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (size_t count = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, count);
  pclose(pipe);
  return output;
}

// Runs `test` on a thread in a network namespace of its own, which ends with the thread.
void in_new_namespace(const std::function<void()>& test) {
  bool skipped = false;
  std::thread([&] {
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
      skipped = true;
      return;
    }
    test();
  }).join();
  if (skipped) GTEST_SKIP() << "SKIPPED: needs root";
}

TEST(NodeLinkTest, ComesAndGoesWithItsAddressesAndRoutes) {
  in_new_namespace([] {
    NodeLinkOptions options{.addresses = {"10.43.0.1", "10.43.0.10"},
                            .service_cidrs = {"10.43.0.0/16"},
                            .pod_cidrs = {"10.42.0.0/16"},
                            .state_path = "/tmp/stead-node-link-" + std::to_string(gettid())};
    const std::string before = output_of("ip -4 addr; ip route; cat /proc/sys/net/ipv4/ip_forward");
    for (int round = 0; round < 2; ++round) {
      const Result<void> made = ensure_node_link(options);
      ASSERT_TRUE(made.ok()) << made.error().message;
    }
    EXPECT_THAT(output_of("ip -4 addr show stead0"), AllOf(HasSubstr("10.43.0.1/32"), HasSubstr("10.43.0.10/32")));
    EXPECT_THAT(output_of("ip route"),
                AllOf(HasSubstr("10.43.0.0/16 dev stead0"), HasSubstr("unreachable 10.42.0.0/16")));
    EXPECT_EQ(output_of("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
    for (int round = 0; round < 2; ++round) {
      const Result<void> removed = remove_node_link(options);
      ASSERT_TRUE(removed.ok()) << removed.error().message;
    }
    EXPECT_EQ(output_of("ip -4 addr; ip route; cat /proc/sys/net/ipv4/ip_forward"), before);
    EXPECT_FALSE(std::ifstream(options.state_path).good());
  });
}

TEST(NodeLinkTest, BadRangeIsNamed) {
  in_new_namespace([] {
    const Result<void> made = ensure_node_link({.service_cidrs = {"10.43.0.0/99"}});
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().reason, Reason::kBadRequest);
    EXPECT_THAT(made.error().message, HasSubstr("10.43.0.0/99"));
  });
}

TEST(MasqueradeTest, RulesAreReplacedAndRemoved) {
  in_new_namespace([] {
    for (int round = 0; round < 2; ++round) {
      const Result<void> made = ensure_masquerade({{"10.42.0.0/16"}, {"10.96.0.0/12"}});
      ASSERT_TRUE(made.ok()) << made.error().message;
    }
    EXPECT_THAT(output_of("nft list ruleset"),
                HasSubstr("ip saddr 10.42.0.0/16 ip daddr != { 10.42.0.0/16, 10.96.0.0/12 } masquerade"));
    for (int round = 0; round < 2; ++round) ASSERT_TRUE(remove_masquerade().ok());
    EXPECT_THAT(output_of("nft list ruleset"), Not(HasSubstr("stead")));
  });
}

TEST(MasqueradeTest, BadRangeIsNamed) {
  for (const char* bad : {"", "10.42.0.0", "10.42.0.0/33", "10.42.0.0/x", "10.42.0/16", "::/0"}) {
    const auto rules = masquerade_rules({{bad}, {}});
    ASSERT_FALSE(rules.ok()) << bad;
    EXPECT_THAT(rules.error().message, HasSubstr(bad));
  }
}

TEST(RoutePolicyTest, DirectWhereALinkIsSharedElseThroughTheTunnel) {
  const std::vector<LinkAddress> links = {{"eth0", 2, "192.0.2.11", 24}, {"eth1", 3, "198.51.100.1", 30}};
  const std::vector<NodePlace> nodes = {{"own", "192.0.2.11", "10.42.0.0/24"},
                                        {"near", "192.0.2.12", "10.42.1.0/24"},
                                        {"wired", "198.51.100.2", "10.42.2.0/24"},
                                        {"far", "203.0.113.5", "10.42.3.0/24"},
                                        {"new", "192.0.2.13", ""},
                                        {"broken", "x", "10.42.4.0/24"}};
  const PodRoutes made = decide_routes("own", PodNetworkMode::kAuto, nodes, links);
  EXPECT_EQ(made.own_range, "10.42.0.0/24");
  const std::vector<PeerRoute> wanted = {
      {"10.42.1.0/24", "192.0.2.12", 2}, {"10.42.2.0/24", "198.51.100.2", 3}, {"10.42.3.0/24", "203.0.113.5", 0}};
  EXPECT_EQ(made.peers, wanted);
  EXPECT_EQ(decide_routes("own", PodNetworkMode::kDirect, nodes, links).peers.size(), 2u);
  for (const PeerRoute& peer : decide_routes("own", PodNetworkMode::kVxlan, nodes, links).peers) {
    EXPECT_EQ(peer.link, 0) << peer.range;
  }
}

TEST(PeerRoutesTest, TheKernelHasExactlyTheRoutesOfTheCluster) {
  in_new_namespace([] {
    output_of("ip link add eth0 type bridge; ip addr add 192.0.2.11/24 dev eth0; ip link set eth0 up mtu 1400");
    const std::string before = output_of("ip route; ip -o link show stead-vxlan");
    PodRoutes routes{"192.0.2.11", "10.42.0.0/24", {}};
    const int eth0 = static_cast<int>(if_nametoindex("eth0"));
    routes.peers = {{"10.42.1.0/24", "192.0.2.12", eth0}, {"10.42.3.0/24", "203.0.113.5", 0}};
    for (int round = 0; round < 2; ++round) {
      const Result<void> made = apply_peer_routes(routes);
      ASSERT_TRUE(made.ok()) << made.error().message;
    }
    EXPECT_THAT(output_of("ip route"),
                AllOf(HasSubstr("10.42.1.0/24 via 192.0.2.12 dev eth0"),
                      HasSubstr("10.42.3.0/24 via 10.42.3.0 dev stead-vxlan"), HasSubstr("src 10.42.0.0 onlink")));
    EXPECT_THAT(output_of("ip -d link show stead-vxlan"),
                AllOf(HasSubstr("mtu 1350"), HasSubstr("local 192.0.2.11"), HasSubstr("dstport 4789"),
                      HasSubstr(tunnel_hardware_address("192.0.2.11")), HasSubstr("nolearning")));
    const std::string far = tunnel_hardware_address("203.0.113.5");
    EXPECT_THAT(output_of("bridge fdb show dev stead-vxlan"), HasSubstr(far + " dst 203.0.113.5 self permanent"));
    EXPECT_THAT(output_of("ip neigh show dev stead-vxlan"), HasSubstr("10.42.3.0 lladdr " + far + " PERMANENT"));

    // A node that is gone takes its route along; the tunnel goes with its last peer.
    routes.peers = {{"10.42.1.0/24", "192.0.2.13", eth0}};
    ASSERT_TRUE(apply_peer_routes(routes).ok());
    EXPECT_THAT(output_of("ip route"), AllOf(HasSubstr("10.42.1.0/24 via 192.0.2.13"), Not(HasSubstr("10.42.3.0"))));
    EXPECT_THAT(output_of("ip link"), Not(HasSubstr("stead-vxlan")));
    for (int round = 0; round < 2; ++round) ASSERT_TRUE(remove_peer_routes().ok());
    EXPECT_EQ(output_of("ip route; ip -o link show stead-vxlan"), before);
  });
}

}  // namespace
}  // namespace stead::network
