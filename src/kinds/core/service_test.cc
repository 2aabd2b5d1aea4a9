#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/core/service_update.h"
#include "kinds/meta/test_documents.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Value service(std::string_view spec) {
  return load("", "Service", "v1", "metadata: {name: s, namespace: ns}\nspec: " + std::string(spec));
}

std::vector<std::string> service_problems(std::string_view spec) { return problems("", "Service", service(spec)); }

TEST(ServiceDefaults, FillPortsAndPolicies) {
  Value made = service("{type: NodePort, sessionAffinity: ClientIP, ports: [{port: 80}]}");
  const Value& port = made.at({"spec", "ports"}).items()[0];
  EXPECT_EQ(port.at("targetPort").as_int(), 80);
  EXPECT_EQ(port.at("protocol").as_string(), "TCP");
  EXPECT_EQ(made.at({"spec", "internalTrafficPolicy"}).as_string(), "Cluster");
  EXPECT_EQ(made.at({"spec", "externalTrafficPolicy"}).as_string(), "Cluster");
  EXPECT_EQ(made.at({"spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"}).as_int(), 10800);
  EXPECT_TRUE(service("{ports: [{port: 80}]}").at({"spec", "externalTrafficPolicy"}).is_null());
}

TEST(ServiceRules, RejectWhatCannotWork) {
  EXPECT_THAT(service_problems("{clusterIP: None}"), IsEmpty());
  EXPECT_THAT(service_problems("{type: ExternalName, externalName: example.org}"), IsEmpty());
  EXPECT_THAT(service_problems("{}"), ElementsAre("spec.ports: Required value"));
  EXPECT_THAT(service_problems("{ports: [{port: 80}, {port: 81, name: b}]}"),
              ElementsAre("spec.ports[0].name: Required value"));
  EXPECT_THAT(service_problems("{ports: [{port: 80, name: b}, {port: 81, name: b}]}"),
              ElementsAre("spec.ports[1].name: Duplicate value: \"b\""));
  EXPECT_THAT(service_problems("{ports: [{port: 80, nodePort: 30000}]}"),
              ElementsAre("spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"));
  EXPECT_THAT(service_problems("{type: ExternalName}"), ElementsAre("spec.externalName: Required value"));
  EXPECT_THAT(service_problems("{type: Other, ports: [{port: 80}]}"),
              ElementsAre("spec.type: Unsupported value: \"Other\": supported values: \"ClusterIP\", "
                          "\"ExternalName\", \"LoadBalancer\", \"NodePort\""));
}

TEST(ServiceRules, AddressesFitTheirFamilies) {
  EXPECT_THAT(service_problems("{clusterIP: 10.43.0.9, clusterIPs: ['fd00::1'], ports: [{port: 80}]}"),
              ElementsAre("spec.clusterIPs: Invalid value: [\"fd00::1\"]: first value must match `clusterIP`"));
  EXPECT_THAT(
      service_problems("{clusterIP: 'fd00::1', clusterIPs: ['fd00::1'], ipFamilies: [IPv4], ports: [{port: 80}]}"),
      ElementsAre("spec.clusterIPs[0]: Invalid value: \"fd00::1\": expected an IPv4 value as indicated by "
                  "`ipFamilies[0]`"));
  EXPECT_THAT(service_problems("{clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 10.0.0.2], ports: [{port: 80}]}"),
              ElementsAre(HasSubstr("may specify no more than one IP for each IP family")));
  EXPECT_THAT(service_problems("{externalIPs: [127.0.0.1, 0.0.0.0, 'fe80::1'], ports: [{port: 80}]}"),
              ElementsAre("spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range "
                          "(127.0.0.0/8, ::1/128)",
                          "spec.externalIPs[1]: Invalid value: \"0.0.0.0\": may not be unspecified (0.0.0.0)",
                          "spec.externalIPs[2]: Invalid value: \"fe80::1\": may not be in the link-local range "
                          "(169.254.0.0/16, fe80::/10)"));
  EXPECT_THAT(service_problems("{type: LoadBalancer, loadBalancerSourceRanges: [' 10.0.0.0/8 '], ports: [{port: 80}]}"),
              IsEmpty());
}

TEST(ServiceStatus, IsOfLoadBalancers) {
  Value old = service("{type: LoadBalancer, ports: [{port: 80}]}");
  Value now = old;
  now.set(
      {"status", "loadBalancer", "ingress"},
      Value::array({Value::object({{"ip", "1.2.3.4"}}), Value::object({{"hostname", "1.2.3.4"}, {"ipMode", "VIP"}})}));
  EXPECT_THAT(
      status_problems("", "Service", now, old),
      ElementsAre("status.loadBalancer.ingress[0].ipMode: Required value: must be specified when `ip` is set",
                  "status.loadBalancer.ingress[1].ipMode: Forbidden: may not be specified when `ip` is not set",
                  "status.loadBalancer.ingress[1].hostname: Invalid value: \"1.2.3.4\": must be a DNS name, not "
                  "an IP address"));
  now.set({"spec", "type"}, "ClusterIP");
  EXPECT_THAT(status_problems("", "Service", now, old),
              ElementsAre("status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "
                          "'LoadBalancer'"));
}

TEST(ServiceUpdate, KeepsWhatWasAllocated) {
  Value old = service("{clusterIP: 10.43.0.9, clusterIPs: [10.43.0.9], ports: [{port: 80}]}");
  Value again = service("{ports: [{port: 80}, {port: 81}]}");
  prepare_service_update(again, old);
  EXPECT_EQ(again.at({"spec", "clusterIP"}).as_string(), "10.43.0.9");
  Value moved = old;
  moved.set({"spec", "clusterIP"}, "10.43.0.10");
  moved.set({"spec", "clusterIPs"}, Value::array({"10.43.0.10"}));
  EXPECT_THAT(update_problems("", "Service", moved, old),
              ElementsAre("spec.clusterIPs[0]: Invalid value: [\"10.43.0.10\"]: may not change once set"));
}

TEST(ServiceRow, ShowsPortsAndAddresses) {
  Value made = service(
      "{type: LoadBalancer, clusterIP: 10.43.0.9, selector: {b: '2', a: '1'}, ports: [{port: 80, nodePort: 30000}]}");
  EXPECT_THAT(row("", "Service", made, WallTime{}),
              ElementsAre("s", "LoadBalancer", "10.43.0.9", "<pending>", "80:30000/TCP", "<unknown>", "a=1,b=2"));
}

}  // namespace
}  // namespace stead::kinds
