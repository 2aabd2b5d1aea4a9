#include "network/ingress/haproxy_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "network/ingress/server_slots.h"

namespace stead::network::ingress {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Optional;

Balancer with_servers(std::vector<Server> servers) {
  Balancer balancer;
  balancer.prefixes[{"h", ""}] = "b";
  balancer.backends["b"] = std::move(servers);
  return balancer;
}

Server server(int number) { return {"10.0.0." + std::to_string(number), 80}; }

TEST(ServerSlots, ServersKeepTheirPlaces) {
  Slots first = assign_slots(with_servers({server(1), server(2), server(3)}), {});
  EXPECT_EQ(first.at("b").size(), 4u);
  Slots second = assign_slots(with_servers({server(1), server(3), server(4), server(5)}), first);
  EXPECT_THAT(second.at("b"), ElementsAre(server(1), server(4), server(3), server(5)));
  auto commands = slot_commands(first, second);
  EXPECT_THAT(commands, Optional(ElementsAre("set server b/s1 addr 10.0.0.4 port 80",
                                             "set server b/s3 addr 10.0.0.5 port 80", "set server b/s3 state ready")));
  commands = slot_commands(second, assign_slots(with_servers({server(3)}), second));
  EXPECT_THAT(commands, Optional(ElementsAre("set server b/s0 state maint", "set server b/s1 state maint",
                                             "set server b/s3 state maint")));
  EXPECT_THAT(slot_commands(first, first), Optional(IsEmpty()));
}

TEST(ServerSlots, MoreServersThanPlacesTakeAReload) {
  Slots first = assign_slots(with_servers({server(1)}), {});
  std::vector<Server> many;
  many.reserve(9);
  for (int i = 0; i < 9; ++i) many.push_back(server(i));
  Slots second = assign_slots(with_servers(many), first);
  EXPECT_EQ(second.at("b").size(), 16u);
  EXPECT_EQ(slot_commands(first, second), std::nullopt);
}

// Whatever comes, each wanted server has exactly one place, and those that stay do not move.
TEST(ServerSlots, HoldUnderRandomChanges) {
  std::mt19937 random(7);
  Slots slots;
  for (int round = 0; round < 500; ++round) {
    std::vector<Server> wanted;
    for (int i = 0; i < 12; ++i) {
      if (random() % 2 == 0) wanted.push_back(server(i));
    }
    std::sort(wanted.begin(), wanted.end());
    Slots next = assign_slots(with_servers(wanted), slots);
    std::vector<Server> placed;
    for (size_t i = 0; i < next.at("b").size(); ++i) {
      const auto& place = next.at("b")[i];
      if (place) placed.push_back(*place);
      if (slots.empty() || i >= slots.at("b").size() || !slots.at("b")[i]) continue;
      const Server& before = *slots.at("b")[i];
      bool stays = std::find(wanted.begin(), wanted.end(), before) != wanted.end();
      EXPECT_TRUE(!stays || place == before);
    }
    std::sort(placed.begin(), placed.end());
    EXPECT_EQ(placed, wanted);
    slots = next;
  }
}

TEST(ServerSlots, OnlyServersMayDiffer) {
  Balancer a = with_servers({server(1)});
  EXPECT_TRUE(same_but_for_servers(a, with_servers({})));
  Balancer b = a;
  b.fallback = "b";
  EXPECT_FALSE(same_but_for_servers(a, b));
  b = a;
  b.backends["c"];
  EXPECT_FALSE(same_but_for_servers(a, b));
}

TEST(HaproxyConfig, HoldsRoutesServersAndCertificates) {
  Balancer balancer = with_servers({server(1)});
  balancer.exact[{"h", "/x"}] = "b";
  balancer.host_defaults["h"] = "b";
  balancer.certificates["ns_tls"] = {"PEM", {"h", "*.i"}};
  auto files = haproxy_files(balancer, assign_slots(balancer, {}), {"192.0.2.10", 80, 443, "haproxy"}, "stead-1");
  EXPECT_EQ(files.at("exact.map"), "h#/x b\n");
  EXPECT_EQ(files.at("prefix.map"), "h#/ b\n");
  EXPECT_EQ(files.at("host.map"), "h b\n");
  EXPECT_EQ(files.at("certificates.list"), "default.pem\ntls/ns_tls.pem h *.i\n");
  EXPECT_EQ(files.at("tls/ns_tls.pem"), "PEM");
  const std::string& config = files.at(kConfigFile);
  EXPECT_THAT(config, HasSubstr("description stead-1\n"));
  EXPECT_THAT(config, HasSubstr("bind 192.0.2.10:80\n"));
  EXPECT_THAT(config, HasSubstr("bind 192.0.2.10:443 ssl crt-list certificates.list"));
  EXPECT_THAT(config, HasSubstr("default_backend nobody\n"));
  EXPECT_THAT(
      config,
      HasSubstr("backend b\n  balance roundrobin\n  server s0 10.0.0.1:80\n  server s1 127.0.0.1:9 disabled\n"));

  balancer.fallback = "b";
  files = haproxy_files(balancer, assign_slots(balancer, {}), {"192.0.2.10", 8080, 0, ""}, "stead-2");
  EXPECT_THAT(files.at(kConfigFile), HasSubstr("default_backend b\n"));
  EXPECT_THAT(files.at(kConfigFile), Not(HasSubstr("ssl crt-list")));
}

}  // namespace
}  // namespace stead::network::ingress
