#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/fake_api.h"
#include "controllers/certificates/certificate_controller.h"
#include "controllers/certificates/certificate_policy.h"
#include "controllers/certificates/token_cleaner.h"
#include "loop/simulated_loop.h"
#include "object/base64.h"
#include "object/time.h"

namespace stead::controllers {
namespace {

using certificates::Reading;
using certificates::Verdict;
using object::Value;
using testing::HasSubstr;

constexpr char kNodeClient[] = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr char kServing[] = "kubernetes.io/kubelet-serving";

Reading node_client(std::string user, std::vector<std::string> groups) {
  Reading reading;
  reading.signer = kNodeClient;
  reading.user = std::move(user);
  reading.groups = std::move(groups);
  reading.usages = {"digital signature", "client auth"};
  reading.facts.common_name = "system:node:a";
  reading.facts.organizations = {"system:nodes"};
  reading.node = "a";
  return reading;
}

Reading serving(const std::string& address) {
  Reading reading = node_client("system:node:a", {"system:nodes"});
  reading.signer = kServing;
  reading.usages = {"digital signature", "server auth"};
  reading.facts.dns_names = {"a"};
  reading.facts.ip_addresses = {address};
  return reading;
}

client::ObjectPtr node(const std::string& address, const std::string& ready) {
  Value addresses = Value::array();
  if (!address.empty()) addresses.append(Value::object({{"type", "InternalIP"}, {"address", address}}));
  Value conditions = Value::array({Value::object({{"type", "Ready"}, {"status", ready}})});
  return object::make_object(
      Value::object({{"metadata", Value::object({{"name", "a"}})},
                     {"status", Value::object({{"addresses", addresses}, {"conditions", conditions}})}}),
      1);
}

Verdict::Kind verdict(const Reading& reading, const client::ObjectPtr& of = nullptr) {
  return certificates::approve(reading, of).kind;
}

TEST(CertificatePolicyTest, AMachineWithATokenBecomesANodeOfAFreeName) {
  Reading joining = node_client("system:bootstrap:abcdef", {"system:bootstrappers"});
  EXPECT_EQ(verdict(joining), Verdict::Kind::kApprove);
  EXPECT_EQ(verdict(joining, node("192.0.2.1", "Unknown")), Verdict::Kind::kApprove);
  EXPECT_EQ(verdict(joining, node("192.0.2.1", "True")), Verdict::Kind::kDeny);
  EXPECT_THAT(certificates::approve(joining, node("", "True")).message, HasSubstr("--node-name"));
  EXPECT_EQ(verdict(node_client("jane", {"developers"})), Verdict::Kind::kNone);
}

TEST(CertificatePolicyTest, ANodeRenewsItsOwnAndNoOthers) {
  EXPECT_EQ(verdict(node_client("system:node:a", {"system:nodes"}), node("", "True")), Verdict::Kind::kApprove);
  EXPECT_EQ(verdict(node_client("system:node:b", {"system:nodes"})), Verdict::Kind::kNone);
}

TEST(CertificatePolicyTest, AServingCertificateIsForTheNodesAddresses) {
  EXPECT_EQ(verdict(serving("192.0.2.1"), node("192.0.2.1", "False")), Verdict::Kind::kApprove);
  EXPECT_EQ(verdict(serving("192.0.2.9"), node("192.0.2.1", "True")), Verdict::Kind::kDeny);
  EXPECT_EQ(verdict(serving("192.0.2.1"), nullptr), Verdict::Kind::kWait);
  EXPECT_EQ(verdict(serving("192.0.2.1"), node("", "True")), Verdict::Kind::kWait);
  Reading foreign = serving("192.0.2.1");
  foreign.user = "system:node:b";
  EXPECT_EQ(verdict(foreign, node("192.0.2.1", "True")), Verdict::Kind::kNone);
}

TEST(CertificatePolicyTest, SignersKeepTheirBounds) {
  EXPECT_EQ(certificates::violation(node_client("x", {})), "");
  EXPECT_EQ(certificates::violation(serving("192.0.2.1")), "");
  Reading server = node_client("x", {});
  server.usages = {"digital signature", "server auth"};
  EXPECT_THAT(certificates::violation(server), HasSubstr("client auth"));
  Reading named = node_client("x", {});
  named.facts.dns_names = {"a"};
  EXPECT_THAT(certificates::violation(named), HasSubstr("alternative names"));
  Reading masters = node_client("x", {});
  masters.facts.organizations = {"system:nodes", "system:masters"};
  EXPECT_THAT(certificates::violation(masters), HasSubstr("organization"));
  Reading nameless = serving("192.0.2.1");
  nameless.facts.dns_names.clear();
  nameless.facts.ip_addresses.clear();
  EXPECT_NE(certificates::violation(nameless), "");
  Reading person = node_client("x", {});
  person.signer = "kubernetes.io/kube-apiserver-client";
  person.facts.common_name = "jane";
  person.node.clear();
  EXPECT_EQ(certificates::violation(person), "");
  person.usages = {"server auth"};
  EXPECT_NE(certificates::violation(person), "");
  EXPECT_EQ(verdict(person), Verdict::Kind::kNone);
}

TEST(CertificatePolicyTest, TheShorterOfTwoTimesHolds) {
  Reading reading = node_client("x", {});
  EXPECT_EQ(certificates::terms(reading, std::chrono::seconds(900)).valid_for.count(), 900);
  reading.wanted = std::chrono::seconds(700);
  EXPECT_EQ(certificates::terms(reading, std::chrono::seconds(900)).valid_for.count(), 700);
  reading.wanted = std::chrono::seconds(1000);
  EXPECT_EQ(certificates::terms(reading, std::chrono::seconds(900)).valid_for.count(), 900);
}

class CertificateControllerTest : public testing::Test {
 protected:
  void start() {
    controller =
        std::make_unique<CertificateController>(api, loop, informers, CertificateOptions{ca, std::chrono::hours(24)});
    controller->start();
    cleaner = std::make_unique<TokenCleaner>(api, loop, informers);
    cleaner->start();
    informers.start();
    run();
  }
  void run(Duration span = std::chrono::seconds(1)) { simulation.run_for(span); }
  void ask(const std::string& user, const std::string& group) {
    http::LeafRequest subject{"system:node:a", {"system:nodes"}};
    Value spec = Value::object({{"request", object::encode_base64(http::make_request(subject)->request_pem)},
                                {"signerName", kNodeClient},
                                {"usages", Value::array({"digital signature", "client auth"})},
                                {"username", user},
                                {"groups", Value::array({group})}});
    api.put(requests, Value::object({{"apiVersion", "certificates.k8s.io/v1"},
                                     {"kind", "CertificateSigningRequest"},
                                     {"metadata", Value::object({{"name", "csr"}})},
                                     {"spec", std::move(spec)}}));
    run();
  }
  std::string condition() {
    client::ObjectPtr request = api.get(requests, "csr");
    auto all = request->status().at("conditions").items();
    return all.empty() ? "" : std::string(all[0].at("type").as_string());
  }

  const client::ResourceRef requests{"certificates.k8s.io", "certificatesigningrequests"};
  loop::Simulation simulation{1};
  loop::SimulatedLoop& loop = simulation.make_loop();
  client::FakeApi api{loop};
  client::InformerSet informers{api, loop};
  http::KeyPair ca = *http::make_ca("test", loop.wall_now(), std::chrono::hours(1000));
  std::unique_ptr<CertificateController> controller;
  std::unique_ptr<TokenCleaner> cleaner;
};

TEST_F(CertificateControllerTest, WhatIsApprovedIsSignedAndForgottenAnHourLater) {
  start();
  ask("system:bootstrap:abcdef", "system:bootstrappers");
  EXPECT_EQ(condition(), "Approved");
  auto certificate = object::decode_base64(api.get(requests, "csr")->status().at("certificate").as_string());
  ASSERT_TRUE(certificate.ok());
  EXPECT_EQ(*http::common_name_of(*certificate), "system:node:a");
  run(std::chrono::minutes(59));
  EXPECT_NE(api.get(requests, "csr"), nullptr);
  run(std::chrono::minutes(2));
  EXPECT_EQ(api.get(requests, "csr"), nullptr);
}

TEST_F(CertificateControllerTest, WhatNobodyDecidesStaysPendingForADay) {
  start();
  ask("jane", "developers");
  EXPECT_EQ(condition(), "");
  run(std::chrono::hours(23));
  EXPECT_NE(api.get(requests, "csr"), nullptr);
  run(std::chrono::hours(2));
  EXPECT_EQ(api.get(requests, "csr"), nullptr);
}

TEST_F(CertificateControllerTest, ExpiredTokensGo) {
  auto token = [&](const std::string& name, const std::string& type, WallTime end) {
    api.put(
        {"", "secrets"},
        Value::object({{"metadata", Value::object({{"name", name}, {"namespace", "kube-system"}})},
                       {"type", type},
                       {"data", Value::object({{"expiration", object::encode_base64(object::format_time(end))}})}}));
  };
  WallTime now = loop.wall_now();
  token("old", "bootstrap.kubernetes.io/token", now - std::chrono::minutes(1));
  token("new", "bootstrap.kubernetes.io/token", now + std::chrono::minutes(5));
  token("other", "Opaque", now - std::chrono::minutes(1));
  start();
  EXPECT_EQ(api.list({"", "secrets"}).size(), 2u);
  run(std::chrono::minutes(6));
  ASSERT_EQ(api.list({"", "secrets"}).size(), 1u);
  EXPECT_EQ(api.list({"", "secrets"})[0]->name(), "other");
}

}  // namespace
}  // namespace stead::controllers
