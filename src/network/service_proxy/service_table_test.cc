#include "network/service_proxy/service_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/service_proxy/rule_frame.h"
#include "network/service_proxy/test_documents.h"

namespace stead::network::service_proxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kTcp80[] = "{name: web, protocol: TCP, port: 8080}";

class ServiceTableTest : public testing::Test {
 protected:
  void put_service(const std::string& spec, const std::string& name = "web") {
    table_.apply_service(nullptr, object::make_object(service_document(name, spec), ++revision_));
  }
  void put_slice(const std::string& endpoints, const std::string& ports = kTcp80, const std::string& suffix = "-1") {
    table_.apply_endpoint_slice(nullptr,
                                object::make_object(slice_document("web", ports, endpoints, suffix), ++revision_));
  }
  void remove_service(const std::string& name) {
    table_.apply_service(object::make_object(service_document(name, ""), ++revision_), nullptr);
  }
  std::string commands() { return table_.take_change().commands; }

  static constexpr char kSpec[] = "type: ClusterIP, clusterIP: 10.43.0.5, ports: [{name: web, port: 80}]";
  ServiceTable table_{{"node1", {"10.43.0.1"}}, "FRAME\n"};
  int64_t revision_ = 0;
};

TEST_F(ServiceTableTest, FirstChangeMakesTheWholeTable) {
  put_service(kSpec);
  put_slice("{addresses: [10.42.0.2]}, {addresses: [10.42.0.3]}");
  EXPECT_EQ(commands(),
            "FRAME\n"
            "add chain ip stead-services pick-address-tcp-2\n"
            "flush chain ip stead-services pick-address-tcp-2\n"
            "add rule ip stead-services pick-address-tcp-2 dnat ip to ip daddr . tcp dport . "
            "numgen random mod 2 map @address_tcp_targets\n"
            "add element ip stead-services address_tcp_targets { 10.43.0.5 . 80 . 0 : 10.42.0.2 . 8080, "
            "10.43.0.5 . 80 . 1 : 10.42.0.3 . 8080 }\n"
            "add element ip stead-services addresses { 10.43.0.5 . tcp . 80 : goto pick-address-tcp-2 }\n"
            "add element ip stead-services self_pairs { 10.42.0.2 . 10.42.0.2, 10.42.0.3 . 10.42.0.3 }\n");
  EXPECT_EQ(commands(), "");
}

TEST_F(ServiceTableTest, OneEndpointMoreOrLessTouchesItsElementsOnly) {
  put_service(kSpec);
  put_slice("{addresses: [10.42.0.2]}, {addresses: [10.42.0.3]}, {addresses: [10.42.0.4]}");
  commands();
  put_slice("{addresses: [10.42.0.3]}, {addresses: [10.42.0.4]}");
  const std::string less = commands();
  // The last one moves into the hole.
  EXPECT_THAT(less, AllOf(HasSubstr("add element ip stead-services address_tcp_targets { 10.43.0.5 . 80 . 0 : "
                                    "10.42.0.4 . 8080 }"),
                          HasSubstr("delete element ip stead-services address_tcp_targets { 10.43.0.5 . 80 . 0, "
                                    "10.43.0.5 . 80 . 2 }"),
                          HasSubstr("delete chain ip stead-services pick-address-tcp-3"), Not(HasSubstr("FRAME")),
                          Not(HasSubstr("80 . 1"))));
  put_slice("{addresses: [10.42.0.3]}, {addresses: [10.42.0.4]}, {addresses: [10.42.0.9]}");
  EXPECT_THAT(commands(), AllOf(HasSubstr("address_tcp_targets { 10.43.0.5 . 80 . 2 : 10.42.0.9 . 8080 }"),
                                Not(HasSubstr("80 . 0")), Not(HasSubstr("80 . 1"))));
}

TEST_F(ServiceTableTest, SharedPiecesStandWhileAnyoneWantsThem) {
  put_service(kSpec);
  put_slice("{addresses: [10.42.0.2]}");
  put_service("type: ClusterIP, clusterIP: 10.43.0.6, ports: [{name: web, port: 80}]", "other");
  table_.apply_endpoint_slice(
      nullptr, object::make_object(slice_document("other", kTcp80, "{addresses: [10.42.0.2]}"), ++revision_));
  commands();
  remove_service("other");
  EXPECT_THAT(commands(),
              AllOf(HasSubstr("addresses { 10.43.0.6"), Not(HasSubstr("delete chain")), Not(HasSubstr("self_pairs"))));
  remove_service("web");
  EXPECT_THAT(commands(), AllOf(HasSubstr("delete chain"), HasSubstr("delete element ip stead-services self_pairs")));
}

TEST_F(ServiceTableTest, ForgettingMakesEverythingAnew) {
  put_service(kSpec);
  put_slice("{addresses: [10.42.0.2]}");
  const std::string first = commands();
  table_.forget();
  EXPECT_EQ(commands(), first);
}

TEST_F(ServiceTableTest, OnlyReadyEndpointsUnlessNoneIs) {
  put_service(kSpec);
  const std::string leaving = "{addresses: [10.42.0.2], conditions: {ready: false, serving: true, terminating: true}}";
  put_slice(leaving + ", {addresses: [10.42.0.3], conditions: {ready: true}}");
  EXPECT_THAT(commands(), AllOf(HasSubstr("10.42.0.3"), Not(HasSubstr("10.42.0.2"))));
  put_slice(leaving + ", {addresses: [10.42.0.3], conditions: {ready: false, serving: false}}");
  EXPECT_THAT(commands(), HasSubstr("add element ip stead-services address_tcp_targets { 10.43.0.5 . 80 . 0 : "
                                    "10.42.0.2 . 8080 }"));
}

TEST_F(ServiceTableTest, WithoutEndpointsEveryFrontRefuses) {
  put_service(
      "type: NodePort, clusterIP: 10.43.0.5, externalIPs: [192.0.2.99], "
      "ports: [{name: web, port: 80, nodePort: 30080}]");
  EXPECT_THAT(commands(), AllOf(HasSubstr("unserved_addresses { 10.43.0.5 . tcp . 80, 192.0.2.99 . tcp . 80 }"),
                                HasSubstr("unserved_node_ports { tcp . 30080 }"), Not(HasSubstr("targets"))));
}

TEST_F(ServiceTableTest, NodePortsAndOutsideAddressesAreMasqueraded) {
  table_.apply_service(
      nullptr, object::make_object(document("{metadata: {namespace: default, name: web}, spec: {type: LoadBalancer, "
                                            "clusterIP: 10.43.0.5, loadBalancerSourceRanges: [198.51.100.7/24], "
                                            "ports: [{name: web, port: 80, nodePort: 30080}]}, status: {loadBalancer: "
                                            "{ingress: [{ip: 192.0.2.7}, {ip: 192.0.2.8, ipMode: Proxy}]}}}"),
                                   ++revision_));
  put_slice("{addresses: [10.42.0.2]}");
  EXPECT_THAT(commands(), AllOf(HasSubstr("masqueraded_addresses { 192.0.2.7 . tcp . 80 }"),
                                HasSubstr("masqueraded_node_ports { tcp . 30080 }"),
                                HasSubstr("node_port_tcp_targets { 30080 . 0 : 10.42.0.2 . 8080 }"),
                                HasSubstr("ip saddr { 198.51.100.0/24 } return"), Not(HasSubstr("192.0.2.8"))));
}

TEST_F(ServiceTableTest, PolicyLocalKeepsOutsideConnectionsHere) {
  const std::string spec =
      "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.43.0.5, ports: [{name: web, port: 80, nodePort: "
      "30080}]";
  put_service(spec);
  put_slice("{addresses: [10.42.0.2], nodeName: node1}, {addresses: [10.42.1.2], nodeName: node2}");
  EXPECT_THAT(commands(), AllOf(HasSubstr("outside_node_port_tcp_targets { 30080 . 0 : 10.42.0.2 . 8080 }"),
                                HasSubstr("30080 . 1 : 10.42.1.2 . 8080"), Not(HasSubstr("masqueraded"))));
  put_slice("{addresses: [10.42.1.2], nodeName: node2}");
  EXPECT_THAT(commands(), HasSubstr("outside_node_ports { tcp . 30080 : drop }"));
  put_service(spec + ", internalTrafficPolicy: Local");
  EXPECT_THAT(commands(), HasSubstr("addresses { 10.43.0.5 . tcp . 80 : drop }"));
}

TEST_F(ServiceTableTest, AffinityHasAChainAndAMemoryForEachTarget) {
  put_service(std::string(kSpec) +
              ", sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}");
  put_slice("{addresses: [10.42.0.2]}, {addresses: [10.42.0.3]}");
  EXPECT_THAT(commands(),
              AllOf(HasSubstr("timeout 60s"), HasSubstr("addresses { 10.43.0.5 . tcp . 80 : goto affine-10.43.0.5"),
                    HasSubstr("ip saddr @clients-60s-10.43.0.5-tcp-80-10.42.0.3-8080 goto keep-")));
  put_slice("{addresses: [10.42.0.2]}");
  EXPECT_THAT(commands(), AllOf(HasSubstr("delete set ip stead-services clients-60s-10.43.0.5-tcp-80-10.42.0.3-8080"),
                                Not(HasSubstr("add set")), Not(HasSubstr("add chain ip stead-services keep-"))));
}

TEST_F(ServiceTableTest, ServicesWithoutRules) {
  for (const char* spec : {"clusterIP: None, ports: [{port: 80}]", "type: ExternalName, externalName: a.example",
                           "clusterIP: '', ports: [{port: 80}]", "clusterIP: 'fd00::1', ports: [{port: 80}]",
                           "clusterIP: 10.43.0.1, ports: [{port: 443}]"}) {
    put_service(spec, "web");
    put_slice("{addresses: [10.42.0.2]}");
    EXPECT_THAT(commands(), testing::AnyOf("FRAME\n", "")) << spec;
  }
}

TEST_F(ServiceTableTest, UdpFlowsGoStaleWithTheirTargets) {
  constexpr char kUdp[] = "{name: dns, protocol: UDP, port: 5353}";
  put_service("type: ClusterIP, clusterIP: 10.43.0.5, ports: [{name: dns, protocol: UDP, port: 53}]");
  put_slice("{addresses: [10.42.0.2]}, {addresses: [10.42.0.3]}", kUdp);
  table_.take_change();
  put_slice("{addresses: [10.42.0.3]}", kUdp);
  EXPECT_EQ(table_.take_change().stale_flows, (UdpFronts{{{"10.43.0.5", 53}, {{"10.42.0.3", 5353}}}}));
  remove_service("web");
  EXPECT_EQ(table_.take_change().stale_flows, (UdpFronts{{{"10.43.0.5", 53}, {}}}));
  EXPECT_TRUE(table_.take_change().empty());
}

TEST(SlotsTest, StayersStay) {
  const Target a{"a", 1}, b{"b", 1}, c{"c", 1}, d{"d", 1}, e{"e", 1};
  EXPECT_THAT(assign_slots({}, {a, b}), ElementsAre(a, b));
  EXPECT_THAT(assign_slots({a, b, c}, {a, c, d}), ElementsAre(a, d, c));
  EXPECT_THAT(assign_slots({a, b, c, d}, {c, d}), ElementsAre(c, d));
  EXPECT_THAT(assign_slots({a, b, c}, {a}), ElementsAre(a));
  EXPECT_THAT(assign_slots({a, b}, {d, e, c}), ElementsAre(c, d, e));
  EXPECT_THAT(assign_slots({a, b}, {}), IsEmpty());
}

TEST(RuleFrameTest, BadRangesAreNamed) {
  EXPECT_TRUE(rule_frame({{"10.42.0.0/16"}, {"10.43.0.0/16"}, {}}).ok());
  for (const char* bad : {"", "10.42.0.0", "10.42.0.0/33", "10.42.0.0/8 }", "::/0"}) {
    const auto frame = rule_frame({{bad}, {}, {}});
    ASSERT_FALSE(frame.ok()) << bad;
    EXPECT_EQ(frame.error().reason, Reason::kBadRequest);
    EXPECT_THAT(frame.error().message, HasSubstr(bad));
  }
}

}  // namespace
}  // namespace stead::network::service_proxy
