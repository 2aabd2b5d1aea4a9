#include "node/containers/environment.h"

#include <gtest/gtest.h>

#include "node/containers/pod_names.h"
#include "node/volumes/volume_policy.h"
#include "object/codec.h"

namespace stead::node {
namespace {

using object::ObjectPtr;
using object::Value;

ObjectPtr from_json(std::string_view text) { return object::make_object(*object::parse_json(text), 1); }

PodShape shape_of(std::string_view spec) {
  std::string text =
      R"({"metadata":{"name":"web-0","namespace":"shop","uid":"u","labels":{"app":"web","b":"\"q\""}},"spec":)";
  return read_pod_shape(from_json(text + std::string(spec) + "}"));
}

ObjectPtr lookup(std::string_view resource, std::string_view name) {
  if (resource == "configmaps" && name == "cm") {
    return from_json(R"({"kind":"ConfigMap","metadata":{"name":"cm"},"data":{"a":"1","b":"2"}})");
  }
  if (resource == "secrets" && name == "s") {
    return from_json(R"({"kind":"Secret","metadata":{"name":"s"},"data":{"k":"aGk="}})");
  }
  return nullptr;
}

const DownwardFacts kFacts{"n1", {"10.0.0.1", "fd00::1"}, {"192.0.2.1"}, 4000, int64_t{8} << 30, 0};

Result<Environment> build(std::string_view container, const Environment& services = {}) {
  PodShape shape = shape_of(R"({"containers":[)" + std::string(container) + "]}");
  return build_environment(shape, shape.containers[0], kFacts, lookup, services);
}

std::string get(const Environment& environment, std::string_view name) {
  for (const auto& [key, value] : environment) {
    if (key == name) return value;
  }
  return "<none>";
}

TEST(Environment, Expansion) {
  Environment known{{"A", "1"}};
  EXPECT_EQ(expand("x$(A)y", known), "x1y");
  EXPECT_EQ(expand("$$(A)", known), "$(A)");
  EXPECT_EQ(expand("$(NO)", known), "$(NO)");
  EXPECT_EQ(expand("$(A", known), "$(A");
  EXPECT_EQ(expand("$", known), "$");
  EXPECT_EQ(expand("$A $$ $(A)", known), "$A $ 1");
}

TEST(Environment, Sources) {
  auto built = build(R"j({"name":"c","envFrom":[{"prefix":"P_","configMapRef":{"name":"cm"}},
    {"secretRef":{"name":"nope","optional":true}}],
    "resources":{"limits":{"memory":"64Mi"}},
    "env":[{"name":"ONE","value":"$(P_a)$(SVC)"},{"name":"SECRET","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
    {"name":"LABEL","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
    {"name":"IPS","valueFrom":{"fieldRef":{"fieldPath":"status.podIPs"}}},
    {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},
    {"name":"MEM","valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1Mi"}}},
    {"name":"GONE","valueFrom":{"configMapKeyRef":{"name":"cm","key":"z","optional":true}}}]
})j",
                     {{"SVC", "10.43.0.1"}, {"ONE", "hidden"}});
  ASSERT_TRUE(built.ok()) << built.error().message;
  EXPECT_EQ(get(*built, "P_b"), "2");
  EXPECT_EQ(get(*built, "ONE"), "110.43.0.1");
  EXPECT_EQ(get(*built, "SECRET"), "hi");
  EXPECT_EQ(get(*built, "LABEL"), "web");
  EXPECT_EQ(get(*built, "IPS"), "10.0.0.1,fd00::1");
  EXPECT_EQ(get(*built, "CPU"), "4");
  EXPECT_EQ(get(*built, "MEM"), "64");
  EXPECT_EQ(get(*built, "GONE"), "<none>");
  EXPECT_EQ(get(*built, "SVC"), "10.43.0.1");
}

TEST(Environment, WhatIsMissingIsNamed) {
  auto message = [](std::string_view reference) {
    auto built = build(R"({"name":"c","env":[{"name":"A","valueFrom":)" + std::string(reference) + "}]}");
    return built.ok() ? "" : built.error().message;
  };
  EXPECT_EQ(message(R"({"configMapKeyRef":{"name":"x","key":"k"}})"), "configmap \"x\" not found");
  EXPECT_EQ(message(R"({"secretKeyRef":{"name":"x","key":"k"}})"), "secret \"x\" not found");
  EXPECT_EQ(message(R"({"secretKeyRef":{"name":"s","key":"z"}})"), "couldn't find key z in Secret shop/s");
}

TEST(Environment, Services) {
  Environment list = service_environment(
      {from_json(
           R"({"metadata":{"name":"my-db"},"spec":{"clusterIP":"10.43.0.9","ports":[{"name":"sql","port":5432}]}})"),
       from_json(R"({"metadata":{"name":"headless"},"spec":{"clusterIP":"None","ports":[{"port":1}]}})")});
  EXPECT_EQ(get(list, "MY_DB_SERVICE_HOST"), "10.43.0.9");
  EXPECT_EQ(get(list, "MY_DB_SERVICE_PORT_SQL"), "5432");
  EXPECT_EQ(get(list, "MY_DB_PORT"), "tcp://10.43.0.9:5432");
  EXPECT_EQ(get(list, "MY_DB_PORT_5432_TCP_ADDR"), "10.43.0.9");
  EXPECT_EQ(get(list, "HEADLESS_SERVICE_HOST"), "<none>");
}

TEST(PodNames, HostsAndHostname) {
  PodShape shape =
      shape_of(R"({"hostname":"web-0","subdomain":"web","hostAliases":[{"ip":"1.2.3.4","hostnames":["a","b"]}]})");
  auto name = pod_hostname(shape, "cluster.local");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->hostname, "web-0");
  std::string file = hosts_file(shape, *name, {"10.0.0.1"}, "");
  EXPECT_NE(file.find("10.0.0.1\tweb-0.web.shop.svc.cluster.local\tweb-0\n"), std::string::npos);
  EXPECT_NE(file.find("1.2.3.4\ta\tb\n"), std::string::npos);
  auto qualified = pod_hostname(shape_of(R"({"subdomain":"web","setHostnameAsFQDN":true})"), "cluster.local");
  EXPECT_EQ(qualified->hostname, "web-0.web.shop.svc.cluster.local");
  EXPECT_FALSE(pod_hostname(shape_of(R"({"subdomain":"web","setHostnameAsFQDN":true})"), std::string(60, 'x')).ok());
}

TEST(PodNames, Dns) {
  DnsSettings settings{"10.43.0.10", "cluster.local", "nameserver 9.9.9.9\nsearch corp.example\noptions rotate\n"};
  auto dns = [&](std::string_view spec) {
    SandboxConfig config;
    set_dns(config, shape_of(spec), settings);
    return config;
  };
  auto first = dns(R"({"dnsPolicy":"ClusterFirst","dnsConfig":{"options":[{"name":"ndots","value":"2"}]}})");
  EXPECT_EQ(first.dns_servers, std::vector<std::string>{"10.43.0.10"});
  EXPECT_EQ(first.dns_searches,
            (std::vector<std::string>{"shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"}));
  EXPECT_EQ(first.dns_options, std::vector<std::string>{"ndots:2"});
  EXPECT_EQ(dns(R"({"dnsPolicy":"Default"})").dns_servers, std::vector<std::string>{"9.9.9.9"});
  EXPECT_EQ(dns(R"({"dnsPolicy":"ClusterFirst","hostNetwork":true})").dns_servers, std::vector<std::string>{"9.9.9.9"});
  EXPECT_EQ(dns(R"({"dnsPolicy":"ClusterFirstWithHostNet","hostNetwork":true})").dns_servers,
            std::vector<std::string>{"10.43.0.10"});
  EXPECT_TRUE(dns(R"({"dnsPolicy":"None"})").dns_servers.empty());
}

TEST(VolumePolicy, PlansAndRefusals) {
  auto plan = [](std::string_view volume) {
    return plan_volumes(shape_of(R"({"volumes":[)" + std::string(volume) + "]}"), kFacts, lookup, {});
  };
  auto map =
      plan(R"({"name":"v","configMap":{"name":"cm","defaultMode":256,"items":[{"key":"a","path":"d/x","mode":420}]}})");
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->front().files.size(), 1u);
  EXPECT_EQ(map->front().files[0].path, "d/x");
  EXPECT_EQ(map->front().files[0].mode, 0644);
  auto error = [&](std::string_view volume) {
    auto result = plan(volume);
    return result.ok() ? "" : result.error().message;
  };
  EXPECT_EQ(error(R"({"name":"v","configMap":{"name":"x"}})"),
            "MountVolume.SetUp failed for volume \"v\" : configmap \"x\" not found");
  EXPECT_NE(error(R"({"name":"v","configMap":{"name":"cm","items":[{"key":"a","path":"../x"}]}})"), "");
  EXPECT_NE(error(R"({"name":"v","awsElasticBlockStore":{}})").find("ebs.csi.aws.com"), std::string::npos);
  EXPECT_NE(error(R"({"name":"v","csi":{"driver":"x.example"}})").find("x.example"), std::string::npos);
  EXPECT_EQ(error(R"({"name":"v","secret":{"secretName":"x","optional":true}})"), "");
  auto labels =
      plan(R"({"name":"v","downwardAPI":{"items":[{"path":"l","fieldRef":{"fieldPath":"metadata.labels"}}]}})");
  EXPECT_EQ(labels->front().files[0].content, "app=\"web\"\nb=\"\\\"q\\\"\"");
}

}  // namespace
}  // namespace stead::node
