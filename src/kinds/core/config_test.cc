#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/meta/test_documents.h"
#include "kinds/rules.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SecretRules, TextBecomesData) {
  Value secret = load("", "Secret", "v1", "{metadata: {name: s, namespace: ns}, stringData: {a: b}}");
  EXPECT_EQ(secret.at({"data", "a"}).as_string(), "Yg==");
  EXPECT_EQ(secret.find("stringData"), nullptr);
  EXPECT_EQ(secret.at("type").as_string(), "Opaque");
  EXPECT_THAT(problems("", "Secret", secret), IsEmpty());
}

TEST(SecretRules, TypesDemandTheirKeys) {
  EXPECT_THAT(
      problems("", "Secret", load("", "Secret", "v1", "{metadata: {name: s, namespace: ns}, type: kubernetes.io/tls}")),
      ElementsAre("data[tls.crt]: Required value", "data[tls.key]: Required value"));
  EXPECT_THAT(problems("", "Secret",
                       load("", "Secret", "v1",
                            "{metadata: {name: s, namespace: ns}, type: kubernetes.io/dockerconfigjson, "
                            "stringData: {.dockerconfigjson: 'no'}}")),
              ElementsAre(HasSubstr("data[.dockerconfigjson]: Invalid value")));
}

TEST(ConfigMapRules, KeysSizeAndImmutability) {
  Value map = load("", "ConfigMap", "v1", "{metadata: {name: c, namespace: ns}, data: {'a b': c}}");
  EXPECT_THAT(problems("", "ConfigMap", map), ElementsAre(HasSubstr("data[a b]: Invalid value: \"a b\"")));
  Value large = map;
  large.set("data", Value::object({{"a", std::string(1024 * 1024 + 1, 'x')}}));
  EXPECT_THAT(problems("", "ConfigMap", large), ElementsAre(HasSubstr("Too long")));
  Value old = load("", "ConfigMap", "v1", "{metadata: {name: c, namespace: ns}, immutable: true, data: {a: b}}");
  Value changed = old;
  changed.set({"data", "a"}, "c");
  EXPECT_THAT(update_problems("", "ConfigMap", changed, old),
              ElementsAre("data: Forbidden: field is immutable when `immutable` is set"));
}

TEST(NamespaceRules, LabelAndFinalizer) {
  Value ns = load("", "Namespace", "v1", "{metadata: {name: ns}}");
  EXPECT_EQ(ns.at({"metadata", "labels", "kubernetes.io/metadata.name"}).as_string(), "ns");
  find_rules("", "Namespace").rules.prepare_create(ns);
  EXPECT_EQ(ns.at({"spec", "finalizers"}).items()[0].as_string(), "kubernetes");
  EXPECT_EQ(ns.at({"status", "phase"}).as_string(), "Active");
}

TEST(NodeRow, ShowsStateRolesAndAddresses) {
  Value node = load("", "Node", "v1", R"(
metadata: {name: n1, labels: {node-role.kubernetes.io/worker: '', node-role.kubernetes.io/control-plane: ''}}
spec: {unschedulable: true}
status:
  conditions: [{type: Ready, status: 'True'}]
  addresses: [{type: InternalIP, address: 10.0.0.1}]
  nodeInfo: {kubeletVersion: v1.35.0, osImage: OS, kernelVersion: '6.1', containerRuntimeVersion: containerd://1.6})");
  EXPECT_THAT(row("", "Node", node, WallTime{}),
              ElementsAre("n1", "Ready,SchedulingDisabled", "control-plane,worker", "<unknown>", "v1.35.0", "10.0.0.1",
                          "<none>", "OS", "6.1", "containerd://1.6"));
}

TEST(NodeRules, TaintsAreUniqueAndRangesOfOneFamilyEach) {
  Value node = load("", "Node", "v1", R"(
metadata: {name: n1}
spec:
  taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule}]
  podCIDRs: [10.0.0.0/24, 10.0.1.0/24])");
  EXPECT_THAT(problems("", "Node", node),
              ElementsAre("metadata.taints[1]: Duplicate value: {\"key\":\"a\",\"effect\":\"NoSchedule\"}: taints must "
                          "be unique by key and effect pair",
                          "spec.podCIDRs: Invalid value: [\"10.0.0.0/24\",\"10.0.1.0/24\"]: may specify no more than "
                          "one CIDR for each IP family"));
}

TEST(EventRules, NewerReportersNameThemselves) {
  Value event = load("", "Event", "v1", R"(
metadata: {name: e, namespace: ns}
involvedObject: {kind: Pod, name: p, namespace: ns}
reason: BackOff
eventTime: '2026-01-01T00:00:00.000000Z')");
  EXPECT_THAT(problems("", "Event", event), testing::Contains("reportingController: Required value").Times(1));
  EXPECT_THAT(problems("", "Event", event), testing::Contains("action: Required value"));
}

TEST(EndpointsRow, ShowsThree) {
  Value endpoints = load("", "Endpoints", "v1", R"(
metadata: {name: e, namespace: ns}
subsets: [{addresses: [{ip: 10.0.0.1}, {ip: 10.0.0.2}, {ip: 10.0.0.3}, {ip: 10.0.0.4}], ports: [{port: 80}]}])");
  EXPECT_THAT(row("", "Endpoints", endpoints, WallTime{})[1], "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...");
  EXPECT_THAT(problems("", "Endpoints", endpoints), IsEmpty());
}

TEST(EndpointSliceRow, ShowsPortsAndAddresses) {
  Value slice = load("discovery.k8s.io", "EndpointSlice", "v1", R"(
metadata: {name: e, namespace: ns}
addressType: IPv4
ports: [{port: 80, name: a}]
endpoints: [{addresses: [10.0.0.1]}])");
  EXPECT_THAT(row("discovery.k8s.io", "EndpointSlice", slice, WallTime{}),
              ElementsAre("e", "IPv4", "80", "10.0.0.1", "<unknown>"));
  EXPECT_THAT(problems("discovery.k8s.io", "EndpointSlice", slice), IsEmpty());
}

TEST(EventRow, CountsRepetitions) {
  Value event = load("", "Event", "v1", R"(
metadata: {name: e, namespace: ns}
involvedObject: {kind: Pod, name: p, namespace: ns}
type: Warning
reason: BackOff
message: "again\n"
count: 3
source: {component: kubelet, host: h}
firstTimestamp: '2026-01-01T00:00:00Z'
lastTimestamp: '2026-01-01T00:09:50Z')");
  EXPECT_THAT(
      row("", "Event", event, *object::parse_time("2026-01-01T00:10:00Z")),
      ElementsAre("10s (x3 over 10m)", "Warning", "BackOff", "pod/p", "", "kubelet, h", "again", "10m", "3", "e"));
  EXPECT_THAT(problems("", "Event", event), IsEmpty());
}

}  // namespace
}  // namespace stead::kinds
