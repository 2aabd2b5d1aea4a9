#include "app/join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/certificate_keeper.h"
#include "app/cluster_facts.h"

namespace stead::app {
namespace {

using testing::HasSubstr;

TEST(JoinTest, ClocksThatAreFarApartAreToldApart) {
  WallTime now{std::chrono::seconds(1'800'000'000)};  // Fri, 15 Jan 2027 08:00:00 GMT
  EXPECT_TRUE(check_clock("Fri, 15 Jan 2027 08:00:00 GMT", now).ok());
  EXPECT_TRUE(check_clock("Fri, 15 Jan 2027 08:01:59 GMT", now).ok());
  EXPECT_TRUE(check_clock("", now).ok());
  EXPECT_THAT(check_clock("Fri, 15 Jan 2027 08:10:00 GMT", now).error().message, HasSubstr("600 s behind"));
  EXPECT_THAT(check_clock("Fri, 15 Jan 2027 07:00:00 GMT", now).error().message, HasSubstr("3600 s ahead of"));
}

TEST(JoinTest, TokensAreReadAsTheyArePrinted) {
  std::string text = "abcdef.0123456789abcdef@sha256:" + std::string(64, 'a');
  auto token = cli::JoinToken::parse(text);
  ASSERT_TRUE(token.ok()) << token.error().message;
  EXPECT_EQ(token->text(), text);
  EXPECT_EQ(token->bearer(), "abcdef.0123456789abcdef");
  for (std::string bad : {"", "abcdef", "abcdef.0123456789abcdef", "ABCDEF.0123456789abcdef@sha256:0",
                          "abcdef.0123@sha256:0", "@sha256:.", "abcdef.0123456789abcdef@sha256:xyz"}) {
    auto refused = cli::JoinToken::parse(bad);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_THAT(refused.error().message, HasSubstr("--token"));
    EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("0123456789abcdef@sha256:xyz")));
  }
}

TEST(JoinTest, ServersAreNamedByUrl) {
  EXPECT_EQ(ServerAddress::parse("https://192.0.2.10:6443")->host, "192.0.2.10");
  EXPECT_EQ(ServerAddress::parse("https://server.example/")->port, 6443);
  EXPECT_EQ(ServerAddress::parse("https://[2001:db8::1]:443")->host, "2001:db8::1");
  EXPECT_EQ(ServerAddress::parse("https://[2001:db8::1]")->port, 6443);
  for (const char* bad : {"", "server", "http://server", "https://", "https://server:0", "https://server:x",
                          "https://server:65536", "https://[::1", "https://a/b"}) {
    EXPECT_FALSE(ServerAddress::parse(bad).ok()) << bad;
  }
}

TEST(JoinTest, CertificatesAreRenewedWhenFourFifthsOfTheirTimeHavePassed) {
  WallTime now{std::chrono::seconds(1'800'000'000)};
  http::KeyPair ca = *http::make_ca("test", now, std::chrono::hours(1000));
  http::LeafRequest request{"a", {}, {}, {}, false, true, std::chrono::hours(100)};
  EXPECT_EQ(*renewal_time(http::issue(ca, request, now)->certificate_pem), now + std::chrono::hours(80));
}

TEST(RangesTest, OverlapsAreNamed) {
  std::vector<network::LinkAddress> links = {
      {"eth0", 2, "192.0.2.11", 24}, {"stead0", 3, "10.43.0.10", 32}, {"eth1", 4, "10.50.0.1", 16}};
  EXPECT_TRUE(check_ranges("10.42.0.0/16", "10.43.0.0/16", "192.0.2.11", links).ok());
  auto message = [&](const char* pods, const char* services, const char* address) {
    auto checked = check_ranges(pods, services, address, links);
    return checked.ok() ? std::string() : checked.error().message;
  };
  EXPECT_THAT(message("10.42.0.0/16", "10.42.9.0/24", "192.0.2.11"), HasSubstr("overlap"));
  EXPECT_THAT(message("192.0.0.0/16", "10.43.0.0/16", "192.0.2.11"), HasSubstr("192.0.2.11"));
  EXPECT_THAT(message("10.42.0.0/16", "10.50.7.0/24", "192.0.2.11"), HasSubstr("eth1"));
}

}  // namespace
}  // namespace stead::app
