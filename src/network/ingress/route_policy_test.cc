#include "network/ingress/route_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/x509.h"
#include "network/ingress/test_documents.h"
#include "object/base64.h"

namespace stead::network::ingress {
namespace {

using object::ObjectPtr;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

struct Cluster {
  std::vector<ObjectPtr> ingresses;
  std::vector<ObjectPtr> classes{stead_class()};
  std::map<std::string, ObjectPtr> services;
  std::map<std::string, std::vector<ObjectPtr>> slices;
  std::map<std::string, ObjectPtr> secrets;

  void serve(const std::string& name, const std::vector<std::pair<std::string, std::string>>& endpoints) {
    services["ns/" + name] = service(name);
    slices["ns/" + name] = {slice(name, endpoints)};
  }

  Decision decide() const {
    auto find = [](const auto& map, const std::string& key) {
      auto found = map.find(key);
      return found == map.end() ? typename std::decay_t<decltype(map)>::mapped_type() : found->second;
    };
    return ingress::decide({ingresses, classes, [&](const std::string& key) { return find(services, key); },
                            [&](const std::string& key) { return find(slices, key); },
                            [&](const std::string& key) { return find(secrets, key); },
                            [](const object::Object& secret) { return read_certificate(secret); }});
  }
};

std::vector<std::string> problems(const Decision& decision) {
  std::vector<std::string> all;
  for (const Decision::Served& served : decision.served) {
    for (const Problem& problem : served.problems) all.push_back(problem.reason + ": " + problem.message);
  }
  return all;
}

TEST(RoutePolicy, PathsBecomeRoutesToReadyEndpoints) {
  Cluster cluster;
  cluster.serve("web", {{"10.42.0.6", "ready: true"}, {"10.42.0.5", "ready: true"}, {"10.42.0.7", "ready: false"}});
  cluster.ingresses = {
      ingress("a", "rules: [" +
                       rule("a.example.com", path("/", "Prefix", "web") + "," + path("/x", "Exact", "web") + "," +
                                                 path("/y/", "ImplementationSpecific", "web")) +
                       "," + rule("*.example.com", path("/", "Prefix", "web")) + "," +
                       rule("", path("/all", "Prefix", "web")) + "]")};
  Decision decision = cluster.decide();
  EXPECT_THAT(problems(decision), IsEmpty());
  const Balancer& balancer = decision.balancer;
  EXPECT_THAT(balancer.exact, ElementsAre(Pair(Route{"a.example.com", "/x"}, "ns_web_80")));
  EXPECT_THAT(balancer.prefixes, UnorderedElementsAre(Pair(Route{"a.example.com", ""}, "ns_web_80"),
                                                      Pair(Route{"a.example.com", "/y"}, "ns_web_80"),
                                                      Pair(Route{".example.com", ""}, "ns_web_80"),
                                                      Pair(Route{"*", "/all"}, "ns_web_80")));
  EXPECT_THAT(balancer.backends,
              ElementsAre(Pair("ns_web_80", ElementsAre(Server{"10.42.0.5", 8080}, Server{"10.42.0.6", 8080}))));
  EXPECT_EQ(balancer.fallback, "");
}

TEST(RoutePolicy, EndpointsThatEndServeWhereNoneIsReady) {
  Cluster cluster;
  cluster.serve("web",
                {{"10.42.0.5", "ready: false, serving: true, terminating: true"}, {"10.42.0.6", "ready: false"}});
  cluster.ingresses = {ingress("a", "defaultBackend: " + backend("web", "{name: http}"))};
  EXPECT_THAT(cluster.decide().balancer.backends,
              ElementsAre(Pair("ns_web_http", ElementsAre(Server{"10.42.0.5", 8080}))));
}

TEST(RoutePolicy, OnlyOurClassesCount) {
  Cluster cluster;
  cluster.serve("web", {{"10.42.0.5", ""}});
  std::string rest = "spec: {defaultBackend: " + backend("web") + "}}";
  cluster.ingresses = {
      document("{metadata: {name: none, namespace: ns}, " + rest),
      document("{metadata: {name: old, namespace: ns, annotations: {kubernetes.io/ingress.class: stead}}, " + rest),
      document("{metadata: {name: other, namespace: ns, annotations: {kubernetes.io/ingress.class: nginx}}, " + rest)};
  Decision decision = cluster.decide();
  ASSERT_EQ(decision.served.size(), 1u);
  EXPECT_EQ(decision.served[0].ingress->name(), "old");
  cluster.classes.clear();
  EXPECT_TRUE(cluster.decide().served.empty());
}

TEST(RoutePolicy, TheOlderIngressKeepsItsRule) {
  Cluster cluster;
  cluster.serve("first", {});
  cluster.serve("second", {});
  cluster.ingresses = {ingress("b", "rules: [" + rule("h", path("/", "Prefix", "second")) + "]", 2),
                       ingress("a", "rules: [" + rule("h", path("/", "Prefix", "first")) + "]", 1)};
  Decision decision = cluster.decide();
  EXPECT_THAT(decision.balancer.prefixes, ElementsAre(Pair(Route{"h", ""}, "ns_first_80")));
  EXPECT_THAT(problems(decision), ElementsAre(HasSubstr("served for the older Ingress ns/a")));
}

TEST(RoutePolicy, DefaultBackendsAreForTheirHostsFirst) {
  Cluster cluster;
  cluster.serve("one", {});
  cluster.serve("two", {});
  cluster.ingresses = {
      ingress("a", "defaultBackend: " + backend("one") + ", rules: [" + rule("h", path("/x", "Prefix", "one")) + "]",
              1),
      ingress("b", "defaultBackend: " + backend("two") + ", rules: [" + rule("i", path("/x", "Prefix", "two")) + "]",
              2)};
  const Balancer balancer = cluster.decide().balancer;
  EXPECT_THAT(balancer.host_defaults, ElementsAre(Pair("h", "ns_one_80"), Pair("i", "ns_two_80")));
  EXPECT_EQ(balancer.fallback, "ns_one_80");
}

TEST(RoutePolicy, WhatIsMissingIsToldAndAnswers503) {
  Cluster cluster;
  cluster.services["ns/web"] = service("web");
  cluster.services["ns/out"] =
      document("{metadata: {name: out, namespace: ns}, spec: {type: ExternalName, externalName: a}}");
  std::string bad_port = "{path: /p, pathType: Prefix, backend: " + backend("web", "{number: 81}") + "}";
  std::string bucket = "{path: /r, pathType: Prefix, backend: {resource: {kind: Bucket, name: b}}}";
  cluster.ingresses = {
      ingress("a", "tls: [{secretName: lost}], rules: [" +
                       rule("h", path("/", "Prefix", "gone") + "," + path("/o", "Prefix", "out") + "," +
                                     path("/a b", "Prefix", "web") + "," + bad_port + "," + bucket) +
                       "]")};
  Decision decision = cluster.decide();
  EXPECT_THAT(problems(decision), ElementsAre(HasSubstr("ServiceNotFound: service \"ns/gone\" not found"),
                                              HasSubstr("ExternalName"), HasSubstr("PathIgnored: path \"/a b\""),
                                              HasSubstr("ServicePortNotFound: service \"ns/web\" has no port 81"),
                                              HasSubstr("BackendIgnored: a resource backend"),
                                              HasSubstr("SecretNotFound: secret \"ns/lost\"")));
  EXPECT_THAT(decision.balancer.backends, ElementsAre(Pair("ns_gone_80", IsEmpty()), Pair("ns_out_80", IsEmpty()),
                                                      Pair("ns_web_81", IsEmpty()), Pair("unserved", IsEmpty())));
  EXPECT_THAT(decision.services, ElementsAre("ns/gone", "ns/out", "ns/web"));
}

ObjectPtr tls_secret(const std::string& certificate, const std::string& key) {
  return document("{metadata: {name: tls, namespace: ns}, data: {tls.crt: " + object::encode_base64(certificate) +
                  ", tls.key: " + object::encode_base64(key) + "}}");
}

TEST(RoutePolicy, CertificatesAreForTheirHosts) {
  const WallTime now{std::chrono::hours(24 * 365 * 55)};
  auto ca = http::make_ca("test", now, std::chrono::hours(1));
  auto pair = http::issue(*ca, {.common_name = "h", .dns_names = {"h"}, .server = true}, now);
  Cluster cluster;
  cluster.serve("web", {});
  cluster.secrets["ns/tls"] = tls_secret(pair->certificate_pem, pair->key_pem);
  std::string rules = "rules: [" + rule("h", path("/", "Prefix", "web")) + "]";
  cluster.ingresses = {ingress("a", "tls: [{secretName: tls, hosts: [h, \"*.i\"]}], " + rules)};
  Decision decision = cluster.decide();
  EXPECT_THAT(problems(decision), IsEmpty());
  ASSERT_TRUE(decision.balancer.certificates.contains("ns_tls"));
  EXPECT_THAT(decision.balancer.certificates.at("ns_tls").hosts, ElementsAre("h", "*.i"));
  EXPECT_THAT(decision.balancer.certificates.at("ns_tls").pem, HasSubstr("PRIVATE KEY"));
  cluster.ingresses = {ingress("a", "tls: [{secretName: tls}], " + rules)};
  EXPECT_THAT(cluster.decide().balancer.certificates.at("ns_tls").hosts, ElementsAre("h"));

  cluster.secrets["ns/tls"] = tls_secret(pair->certificate_pem, ca->key_pem);
  decision = cluster.decide();
  EXPECT_THAT(problems(decision), ElementsAre(HasSubstr("SecretInvalid: secret \"ns/tls\": tls.key:")));
  EXPECT_TRUE(decision.balancer.certificates.empty());
  cluster.secrets["ns/tls"] = tls_secret("nonsense", pair->key_pem);
  EXPECT_THAT(problems(cluster.decide()), ElementsAre(HasSubstr("tls.crt holds no certificate")));
}

}  // namespace
}  // namespace stead::network::ingress
