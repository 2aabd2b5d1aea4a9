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
