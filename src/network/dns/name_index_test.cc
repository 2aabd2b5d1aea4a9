#include "network/dns/name_index.h"

#include <gtest/gtest.h>

namespace stead::network::dns {
namespace {

using object::ObjectPtr;
using object::Value;
using Outcome = Answer::Outcome;

Value text_list(std::initializer_list<const char*> texts) {
  Value list = Value::array();
  for (const char* text : texts) list.append(text);
  return list;
}

ObjectPtr service(const char* name, Value spec) {
  Value document = Value::object();
  document.set({"metadata", "name"}, name);
  document.set({"metadata", "namespace"}, "default");
  document.set("spec", std::move(spec));
  return object::make_object(std::move(document), 1);
}

Value cluster_spec(std::initializer_list<const char*> addresses) {
  Value spec = Value::object({{"type", "ClusterIP"}, {"clusterIP", *addresses.begin()}});
  spec.set("clusterIPs", text_list(addresses));
  spec.set("ports", Value::array({Value::object({{"name", "http"}, {"port", 80}, {"protocol", "TCP"}}),
                                  Value::object({{"name", "dns"}, {"port", 53}, {"protocol", "UDP"}})}));
  return spec;
}

Value endpoint(const char* hostname, const char* address, std::optional<bool> ready) {
  Value value = Value::object();
  value.set("addresses", text_list({address}));
  if (*hostname) value.set("hostname", hostname);
  if (ready) value.set({"conditions", "ready"}, *ready);
  return value;
}

ObjectPtr slice(const char* name, const char* owner, std::vector<Value> endpoints) {
  Value document = Value::object();
  document.set({"metadata", "name"}, name);
  document.set({"metadata", "namespace"}, "default");
  document.set({"metadata", "labels", "kubernetes.io/service-name"}, owner);
  document.set("addressType", "IPv4");
  document.set("endpoints", Value::array(std::move(endpoints)));
  document.set("ports", Value::array({Value::object({{"name", "peer"}, {"port", 8300}, {"protocol", "TCP"}})}));
  return object::make_object(std::move(document), 1);
}

class NameIndexTest : public testing::Test {
 protected:
  NameIndexTest() {
    index.records().apply_service(nullptr, service("web", cluster_spec({"10.43.0.5", "fd00::5"})));
    index.records().apply_service(nullptr, service("db", Value::object({{"clusterIP", "None"}})));
    index.records().apply_service(nullptr, service("out", external("www.Example.com.")));
    index.records().apply_service(nullptr, service("alias", external("db.default.svc.cluster.local")));
    index.records().apply_service(nullptr, service("loop", external("loop.default.svc.cluster.local")));
    db = slice("db-1", "db",
               {endpoint("db-0", "10.42.0.7", true), endpoint("", "10.42.0.8", std::nullopt),
                endpoint("db-2", "10.42.0.9", false)});
    index.records().apply_endpoint_slice(nullptr, db);
    index.records().apply_endpoint_slice(nullptr, slice("web-1", "web", {endpoint("", "10.42.0.8", true)}));
  }

  static Value external(const char* name) { return Value::object({{"type", "ExternalName"}, {"externalName", name}}); }

  Answer ask(const char* name, Type type) const { return index.resolve(name_of(name), type); }
  // The data of the answer's records in readable form, or what was said instead.
  std::vector<std::string> texts(const char* name, Type type) const {
    Answer answer = ask(name, type);
    if (answer.outcome == Outcome::kNoSuchName) return {"NXDOMAIN"};
    if (answer.outcome == Outcome::kNoData) return {"NODATA"};
    if (answer.outcome == Outcome::kNotOurs) return {"FORWARD"};
    std::vector<std::string> all;
    for (const Record& record : answer.records) {
      bool address = record.type == Type::kA || record.type == Type::kAaaa;
      std::string text = address ? address_text(record.data) : record.data;
      if (record.type == Type::kSrv)
        text = std::to_string(record.weight) + " " + std::to_string(record.port) + " " + text;
      all.push_back(record.owner.empty() ? text : record.owner + "=" + text);
    }
    return all;
  }

  NameIndex index =
      *NameIndex::make({"Cluster.Local.", {"10.42.0.0/16", "10.43.0.0/16", "fd00::/108"}, {"10.43.0.10"}});
  ObjectPtr db;
};

using Texts = std::vector<std::string>;

TEST_F(NameIndexTest, ClusterServices) {
  EXPECT_EQ(texts("web.default.svc.cluster.local", Type::kA), Texts{"10.43.0.5"});
  EXPECT_EQ(texts("WEB.default.SVC.cluster.local.", Type::kAaaa), Texts{"fd00::5"});
  EXPECT_EQ(texts("web.default.svc.cluster.local", Type::kTxt), Texts{"NODATA"});
  EXPECT_EQ(texts("_http._tcp.web.default.svc.cluster.local", Type::kSrv),
            Texts{"100 80 web.default.svc.cluster.local"});
  EXPECT_EQ(ask("_http._tcp.web.default.svc.cluster.local", Type::kSrv).additional.size(), 2u);
  EXPECT_EQ(texts("_http._udp.web.default.svc.cluster.local", Type::kSrv), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("_udp.web.default.svc.cluster.local", Type::kSrv), Texts{"NODATA"});
  EXPECT_EQ(texts("web.default.svc.cluster.local", Type::kSrv).size(), 2u);
  EXPECT_EQ(texts("10-42-0-8.web.default.svc.cluster.local", Type::kA), Texts{"10.42.0.8"});
}

TEST_F(NameIndexTest, HeadlessServices) {
  EXPECT_EQ(texts("db.default.svc.cluster.local", Type::kA), (Texts{"10.42.0.7", "10.42.0.8"}));
  EXPECT_EQ(texts("db.default.svc.cluster.local", Type::kAaaa), Texts{"NODATA"});
  EXPECT_EQ(texts("db-0.db.default.svc.cluster.local", Type::kA), Texts{"10.42.0.7"});
  EXPECT_EQ(texts("10-42-0-8.db.default.svc.cluster.local", Type::kA), Texts{"10.42.0.8"});
  EXPECT_EQ(texts("db-2.db.default.svc.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  Texts both{"50 8300 10-42-0-8.db.default.svc.cluster.local", "50 8300 db-0.db.default.svc.cluster.local"};
  EXPECT_EQ(texts("_peer._tcp.db.default.svc.cluster.local", Type::kSrv), both);
  EXPECT_EQ(texts("db.default.svc.cluster.local", Type::kSrv), both);
  EXPECT_EQ(ask("_peer._tcp.db.default.svc.cluster.local", Type::kSrv).additional.size(), 2u);
}

TEST_F(NameIndexTest, FollowsChanges) {
  ObjectPtr later = slice("db-1", "db", {endpoint("db-2", "10.42.0.9", true)});
  index.records().apply_endpoint_slice(db, later);
  EXPECT_EQ(texts("db.default.svc.cluster.local", Type::kA), Texts{"10.42.0.9"});
  EXPECT_EQ(texts("7.0.42.10.in-addr.arpa", Type::kPtr), Texts{"NXDOMAIN"});
  index.records().apply_endpoint_slice(later, nullptr);
  EXPECT_EQ(texts("db.default.svc.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  for (const char* name : {"web", "db", "out", "alias", "loop"}) {
    index.records().apply_service(service(name, Value::object()), nullptr);
  }
  EXPECT_EQ(texts("default.svc.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("5.0.43.10.in-addr.arpa", Type::kPtr), Texts{"NXDOMAIN"});
}

TEST_F(NameIndexTest, ExternalNames) {
  Answer outside = ask("out.default.svc.cluster.local", Type::kA);
  EXPECT_EQ(outside.outside_alias, "www.example.com");
  ASSERT_EQ(outside.records.size(), 1u);
  EXPECT_EQ(outside.records[0].type, Type::kCname);
  EXPECT_EQ(texts("alias.default.svc.cluster.local", Type::kA),
            (Texts{"db.default.svc.cluster.local", "db.default.svc.cluster.local=10.42.0.7",
                   "db.default.svc.cluster.local=10.42.0.8"}));
  EXPECT_EQ(texts("x.out.default.svc.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  EXPECT_LE(texts("loop.default.svc.cluster.local", Type::kA).size(), 10u);
}

TEST_F(NameIndexTest, ReverseNames) {
  EXPECT_EQ(texts("5.0.43.10.in-addr.arpa", Type::kPtr), Texts{"web.default.svc.cluster.local"});
  EXPECT_EQ(texts("7.0.42.10.in-addr.arpa", Type::kPtr), Texts{"db-0.db.default.svc.cluster.local"});
  EXPECT_EQ(texts("8.0.42.10.in-addr.arpa", Type::kPtr),
            (Texts{"10-42-0-8.db.default.svc.cluster.local", "10-42-0-8.web.default.svc.cluster.local"}));
  EXPECT_EQ(texts("5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", Type::kPtr),
            Texts{"web.default.svc.cluster.local"});
  EXPECT_EQ(texts("5.0.43.10.in-addr.arpa", Type::kA), Texts{"NODATA"});
  EXPECT_EQ(texts("99.0.42.10.in-addr.arpa", Type::kPtr), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("42.10.in-addr.arpa", Type::kPtr), Texts{"NODATA"});
  EXPECT_EQ(texts("x.0.42.10.in-addr.arpa", Type::kPtr), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("1.99.0.42.10.in-addr.arpa", Type::kPtr), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("10.in-addr.arpa", Type::kPtr), Texts{"FORWARD"});
  EXPECT_EQ(texts("1.0.0.127.in-addr.arpa", Type::kPtr), Texts{"FORWARD"});
  EXPECT_EQ(ask("99.0.42.10.in-addr.arpa", Type::kPtr).zone, "42.10.in-addr.arpa");
}

TEST_F(NameIndexTest, TheRestOfTheZone) {
  EXPECT_EQ(texts("dns-version.cluster.local", Type::kTxt), Texts{"1.1.0"});
  EXPECT_EQ(texts("1-2-3-4.any.pod.cluster.local", Type::kA), Texts{"1.2.3.4"});
  EXPECT_EQ(texts("fd00--1.any.pod.cluster.local", Type::kAaaa), Texts{"fd00::1"});
  EXPECT_EQ(texts("nonsense.any.pod.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("ns.dns.cluster.local", Type::kA), Texts{"10.43.0.10"});
  EXPECT_EQ(texts("cluster.local", Type::kSoa), Texts{"ns.dns.cluster.local"});
  EXPECT_EQ(texts("cluster.local", Type::kA), Texts{"NODATA"});
  EXPECT_EQ(texts("svc.cluster.local", Type::kA), Texts{"NODATA"});
  EXPECT_EQ(texts("default.svc.cluster.local", Type::kA), Texts{"NODATA"});
  EXPECT_EQ(texts("nothing.svc.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("nothing.default.svc.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("www.example.com.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("a.b.c.web.default.svc.cluster.local", Type::kA), Texts{"NXDOMAIN"});
  EXPECT_EQ(texts("example.com", Type::kA), Texts{"FORWARD"});
  EXPECT_EQ(texts("local", Type::kA), Texts{"FORWARD"});
  EXPECT_EQ(texts("", Type::kNs), Texts{"FORWARD"});
}

TEST(NameIndexOptions, BadOnesAreNamed) {
  EXPECT_EQ(NameIndex::make({"", {}, {}}).error().reason, Reason::kBadRequest);
  auto bad = NameIndex::make({"cluster.local", {"10.0.0.0/33"}, {}});
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("10.0.0.0/33"), std::string::npos);
}

}  // namespace
}  // namespace stead::network::dns
