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

}  // namespace
}  // namespace stead::network
