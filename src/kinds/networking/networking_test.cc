#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kGroup = "networking.k8s.io";
constexpr std::string_view kOld = R"(
kind: Ingress
metadata: {name: consul, namespace: ns}
spec:
  backend: {serviceName: other, servicePort: http}
  rules:
  - host: consul.example.com
    http:
      paths:
      - path: /
        backend: {serviceName: consul-ui, servicePort: 8500}
)";

Value ingress() {
  return load(kGroup, "Ingress", "v1", R"(
kind: Ingress
metadata: {name: web, namespace: ns}
spec:
  ingressClassName: stead
  tls: [{hosts: [a.example.com], secretName: tls}]
  rules:
  - host: a.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
)");
}

// The problems of an ingress with one path changed.
std::vector<std::string> problems_with(std::string_view name, Value value) {
  Value made = ingress();
  Value& path = (*made["spec"].find("rules")).mutable_items()[0]["http"]["paths"].mutable_items()[0];
  path.set(name, std::move(value));
  return problems(kGroup, "Ingress", made);
}

std::vector<std::string> problems_with_backend(Value backend) { return problems_with("backend", std::move(backend)); }

TEST(IngressVersions, OldOnesConvertBothWays) {
  for (std::string_view group : {"extensions", "networking.k8s.io"}) {
    Value made = load(group, "Ingress", "v1beta1", kOld);
    EXPECT_THAT(problems(group, "Ingress", made), IsEmpty());
    const Value& spec = made.at("spec");
    EXPECT_EQ(spec.at({"defaultBackend", "service", "name"}).as_string(), "other");
    EXPECT_EQ(spec.at({"defaultBackend", "service", "port", "name"}).as_string(), "http");
    const Value& path = spec.at("rules").items()[0].at({"http", "paths"}).items()[0];
    EXPECT_EQ(path.at("pathType").as_string(), "ImplementationSpecific");
    EXPECT_EQ(path.at({"backend", "service", "port", "number"}).as_int(), 8500);
    EXPECT_EQ(path.at({"backend", "serviceName"}).as_string(), "");

    registry().find_kind(group, "Ingress")->version(group, "v1beta1")->from_hub(made);
    EXPECT_EQ(made.at({"spec", "backend", "serviceName"}).as_string(), "other");
    EXPECT_EQ(made.at({"spec", "backend", "servicePort"}).as_string(), "http");
    const Value& back = made.at({"spec", "rules"}).items()[0].at({"http", "paths"}).items()[0];
    EXPECT_EQ(back.at({"backend", "serviceName"}).as_string(), "consul-ui");
    EXPECT_EQ(back.at({"backend", "servicePort"}).as_int(), 8500);
    EXPECT_EQ(back.find({"backend", "service"}), nullptr);
  }
}

TEST(IngressRules, AcceptWhatIsRight) {
  EXPECT_THAT(problems(kGroup, "Ingress", ingress()), IsEmpty());
  EXPECT_THAT(problems_with_backend(Value::object(
                  {{"resource", Value::object({{"apiGroup", "a.io"}, {"kind", "Bucket"}, {"name", "b"}})}})),
              IsEmpty());
  EXPECT_THAT(problems_with("pathType", "ImplementationSpecific"), IsEmpty());
}

TEST(IngressRules, RejectPaths) {
  constexpr std::string_view kPath = "spec.rules[0].http.paths[0].";
  EXPECT_THAT(problems_with("pathType", Value()),
              ElementsAre(std::string(kPath) + "pathType: Required value: pathType must be specified"));
  EXPECT_THAT(problems_with("pathType", "Regex"),
              ElementsAre(HasSubstr("supported values: \"Exact\", \"ImplementationSpecific\", \"Prefix\"")));
  EXPECT_THAT(problems_with("path", "web"),
              ElementsAre(HasSubstr("path: Invalid value: \"web\": must be an absolute")));
  EXPECT_THAT(problems_with("path", "/a//b"), ElementsAre(HasSubstr("must not contain '//'")));
  EXPECT_THAT(problems_with("path", "/a/.."), ElementsAre(HasSubstr("cannot end with '/..'")));
}

TEST(IngressRules, RejectBackends) {
  auto service = [](Value name, Value port) {
    return Value::object({{"service", Value::object({{"name", std::move(name)}, {"port", std::move(port)}})}});
  };
  EXPECT_THAT(problems_with_backend(Value::object()),
              ElementsAre(HasSubstr("resource or service backend is required")));
  EXPECT_THAT(problems_with_backend(service("web", Value::object())),
              ElementsAre(HasSubstr("backend: Required value: port name or number is required")));
  EXPECT_THAT(problems_with_backend(service("web", Value::object({{"name", "a"}, {"number", 1}}))),
              ElementsAre(HasSubstr("cannot set both port name & port number")));
  EXPECT_THAT(problems_with_backend(service("web", Value::object({{"number", 70000}}))),
              ElementsAre(HasSubstr("backend.service.port.number: Invalid value: 70000")));
  EXPECT_THAT(problems_with_backend(service("", Value::object({{"number", 1}}))),
              ElementsAre(HasSubstr("backend.service.name: Required value")));
  EXPECT_THAT(problems_with_backend(service("Web", Value::object({{"number", 1}}))),
              ElementsAre(HasSubstr("DNS-1035 label")));
}

TEST(IngressRules, RejectHostsAndEmptySpecs) {
  auto with_host = [](std::string_view host) {
    Value made = ingress();
    made["spec"]["rules"].mutable_items()[0].set("host", host);
    return problems(kGroup, "Ingress", made);
  };
  EXPECT_THAT(with_host("*.example.com"), IsEmpty());
  EXPECT_THAT(with_host("a.*.com"), ElementsAre(HasSubstr("must start with '*.'")));
  EXPECT_THAT(with_host("10.0.0.1"), ElementsAre(HasSubstr("must be a DNS name, not an IP address")));
  EXPECT_THAT(with_host("Web"), ElementsAre(HasSubstr("RFC 1123 subdomain")));
  Value made = ingress();
  made["spec"].erase("rules");
  EXPECT_THAT(problems(kGroup, "Ingress", made),
              ElementsAre("spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"));
  made = ingress();
  made.set({"metadata", "annotations", "kubernetes.io/ingress.class"}, "nginx");
  EXPECT_THAT(problems(kGroup, "Ingress", made), ElementsAre(HasSubstr("must match `ingressClassName`")));
}

TEST(IngressRow, ShowsHostsAndAddresses) {
  Value made = ingress();
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  made.set({"status", "loadBalancer", "ingress"}, Value::array({Value::object({{"ip", "192.0.2.10"}})}));
  WallTime now = *object::parse_time("2026-01-01T00:00:05Z");
  EXPECT_THAT(row(kGroup, "Ingress", made, now),
              ElementsAre("web", "stead", "a.example.com", "192.0.2.10", "80, 443", "5s"));
  Value many = Value::array();
  for (const char* host : {"a", "b", "c", "d", "e"}) many.append(Value::object({{"host", host}}));
  made.set({"spec", "rules"}, std::move(many));
  made["spec"].erase("tls");
  EXPECT_THAT(row(kGroup, "Ingress", made, now),
              ElementsAre("web", "stead", "a,b,c + 2 more...", "192.0.2.10", "80", "5s"));
}

TEST(IngressClassRules, ControllersArePrefixedAndStay) {
  Value made = load(kGroup, "IngressClass", "v1", R"(
kind: IngressClass
metadata: {name: stead}
spec: {controller: stead.dev/haproxy, parameters: {apiGroup: a.io, kind: Settings, name: s}}
)");
  EXPECT_THAT(problems(kGroup, "IngressClass", made), IsEmpty());
  EXPECT_EQ(made.at({"spec", "parameters", "scope"}).as_string(), "Cluster");
  made.set({"metadata", "creationTimestamp"}, "2026-01-01T00:00:00Z");
  EXPECT_THAT(row(kGroup, "IngressClass", made, *object::parse_time("2026-01-01T00:00:05Z")),
              ElementsAre("stead", "stead.dev/haproxy", "Settings.a.io/s", "5s"));
  Value changed = made;
  changed.set({"spec", "controller"}, "a.io/b");
  EXPECT_THAT(update_problems(kGroup, "IngressClass", changed, made), ElementsAre(HasSubstr("field is immutable")));
  changed.set({"spec", "controller"}, "haproxy");
  EXPECT_THAT(problems(kGroup, "IngressClass", changed), ElementsAre(HasSubstr("must be a domain-prefixed path")));
  changed = made;
  changed.set({"spec", "parameters", "scope"}, "Namespace");
  EXPECT_THAT(problems(kGroup, "IngressClass", changed),
              ElementsAre("spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"));
}

TEST(NetworkPolicyRules, SayAllThatIsWrong) {
  Value made = load(kGroup, "NetworkPolicy", "v1", R"(
metadata: {name: p, namespace: ns}
spec:
  podSelector: {}
  policyTypes: [Sideways]
  ingress:
  - ports: [{protocol: ICMP, endPort: 80}]
    from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}, podSelector: {}}]
)");
  EXPECT_THAT(
      problems(kGroup, "NetworkPolicy", made),
      ElementsAre("spec.ingress[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"TCP\", "
                  "\"UDP\", \"SCTP\"",
                  "spec.ingress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is not "
                  "specified",
                  "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict "
                  "subset of `cidr`",
                  "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer",
                  "spec.policyTypes[0]: Unsupported value: \"Sideways\": supported values: \"Ingress\", "
                  "\"Egress\""));
}

}  // namespace
}  // namespace stead::kinds
