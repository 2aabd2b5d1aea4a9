#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controllers/endpoints/mirror_policy.h"
#include "object/codec.h"

namespace stead::controllers::endpoints {
namespace {

using client::Verb;
using object::ObjectPtr;
using object::Value;
using testing::ElementsAre;

ObjectPtr document(std::string_view yaml) {
  auto parsed = object::parse_yaml(yaml);
  EXPECT_TRUE(parsed.ok()) << yaml;
  return object::make_object(parsed.ok() ? std::move(*parsed) : Value(), 1);
}

ObjectPtr service(std::string_view spec = "{ports: [{port: 80}]}") {
  return document("{metadata: {namespace: ns, name: db}, spec: " + std::string(spec) + "}");
}

ObjectPtr endpoints(std::string_view metadata = "labels: {a: b}") {
  return document(
      "{apiVersion: v1, kind: Endpoints, metadata: {namespace: ns, name: db, uid: u, " + std::string(metadata) +
      "}, subsets: [{addresses: [{ip: 192.0.2.1, hostname: h}, {ip: \"2001:db8::1\"}], notReadyAddresses: [{ip: "
      "192.0.2.2}], ports: [{name: sql, port: 5432, protocol: TCP}]}]}");
}

std::vector<Verb> verbs(const client::Plan& plan) {
  std::vector<Verb> all;
  for (const auto& step : plan.steps) all.push_back(step.request.verb);
  return all;
}

// What the API would keep of a plan's creations.
std::vector<ObjectPtr> created(const client::Plan& plan) {
  std::vector<ObjectPtr> all;
  for (const auto& step : plan.steps) {
    Value body = step.request.body;
    body.set({"metadata", "name"}, "db-" + std::to_string(all.size()));
    all.push_back(object::make_object(std::move(body), 1));
  }
  return all;
}

TEST(MirrorPolicy, OneSliceForEachFamilyOfASubset) {
  client::Plan plan = decide_mirror({endpoints(), service(), {}});
  ASSERT_THAT(verbs(plan), ElementsAre(Verb::kCreate, Verb::kCreate));
  const Value& four = plan.steps[0].request.body;
  EXPECT_EQ(four.at("addressType").as_string(), "IPv4");
  EXPECT_EQ(four.at({"metadata", "labels", "kubernetes.io/service-name"}).as_string(), "db");
  EXPECT_EQ(four.at({"metadata", "labels", "endpointslice.kubernetes.io/managed-by"}).as_string(), kMirrorController);
  EXPECT_EQ(four.at({"metadata", "labels", "a"}).as_string(), "b");
  EXPECT_EQ(four.at({"metadata", "ownerReferences"}).items()[0].at("kind").as_string(), "Endpoints");
  ASSERT_EQ(four.at("endpoints").size(), 2u);
  EXPECT_EQ(four.at("endpoints").items()[0].at("hostname").as_string(), "h");
  EXPECT_FALSE(four.at("endpoints").items()[1].at({"conditions", "ready"}).as_bool(true));
  EXPECT_EQ(four.at("ports").items()[0].at("port").as_int(), 5432);
  EXPECT_EQ(plan.steps[1].request.body.at("addressType").as_string(), "IPv6");
}

TEST(MirrorPolicy, ChangesTouchWhatDiffersOnly) {
  std::vector<ObjectPtr> slices = created(decide_mirror({endpoints(), service(), {}}));
  EXPECT_THAT(verbs(decide_mirror({endpoints(), service(), slices})), ElementsAre());
  ObjectPtr fewer = document(
      "{metadata: {namespace: ns, name: db, uid: u, labels: {a: b}}, subsets: [{addresses: [{ip: "
      "192.0.2.9}], ports: [{name: sql, port: 5432, protocol: TCP}]}]}");
  EXPECT_THAT(verbs(decide_mirror({fewer, service(), slices})), ElementsAre(Verb::kUpdate, Verb::kDelete));
}

TEST(MirrorPolicy, OnlyWhatNobodyElseKeeps) {
  std::vector<ObjectPtr> slices = created(decide_mirror({endpoints(), service(), {}}));
  std::vector<Verb> both_go = {Verb::kDelete, Verb::kDelete};
  EXPECT_EQ(verbs(decide_mirror({endpoints(), service("{selector: {app: db}}"), slices})), both_go);
  EXPECT_EQ(verbs(decide_mirror({endpoints(), nullptr, slices})), both_go);
  EXPECT_EQ(verbs(decide_mirror({nullptr, service(), slices})), both_go);
  EXPECT_EQ(verbs(decide_mirror(
                {endpoints("labels: {endpointslice.kubernetes.io/skip-mirror: \"true\"}"), service(), slices})),
            both_go);
  EXPECT_EQ(verbs(decide_mirror(
                {endpoints("annotations: {control-plane.alpha.kubernetes.io/leader: x}"), service(), slices})),
            both_go);
}

}  // namespace
}  // namespace stead::controllers::endpoints
