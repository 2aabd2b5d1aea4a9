#include "network/service_proxy/service_model.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace stead::network::service_proxy {
namespace {

using object::Object;
using object::Value;

constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";
constexpr std::string_view kProxyNameLabel = "service.kubernetes.io/service-proxy-name";
constexpr std::string_view kHeadlessLabel = "service.kubernetes.io/headless";
constexpr int64_t kAffinitySecondsDefault = 10800;  // the API's default of timeoutSeconds

// Empty for a protocol that has no ports.
std::string protocol_of(const Value& port) {
  std::string_view text = port.at("protocol").as_string();
  if (text.empty() || text == "TCP") return "tcp";
  if (text == "UDP") return "udp";
  if (text == "SCTP") return "sctp";
  return {};
}

std::vector<PortSpec> ports_of(const Value& list) {
  std::vector<PortSpec> ports;
  for (const Value& item : list.items()) {
    std::string protocol = protocol_of(item);
    const int64_t port = item.at("port").as_int();
    if (protocol.empty() || port < 1 || port > 65535) continue;
    ports.push_back({std::string(item.at("name").as_string()), std::move(protocol), static_cast<uint16_t>(port),
                     static_cast<uint16_t>(item.at("nodePort").as_int())});
  }
  return ports;
}

std::vector<std::string> addresses_of(const Value& list) {
  std::vector<std::string> addresses;
  for (const Value& item : list.items()) {
    if (auto address = canonical_address(item.as_string())) addresses.push_back(std::move(*address));
  }
  return addresses;
}

std::vector<std::string> ingress_addresses(const Object& service) {
  std::vector<std::string> addresses;
  for (const Value& ingress : service.status().at({"loadBalancer", "ingress"}).items()) {
    // ipMode Proxy (KEP-1860): the balancer wants to see the packets itself.
    if (ingress.at("ipMode").as_string() == "Proxy") continue;
    if (auto address = canonical_address(ingress.at("ip").as_string())) addresses.push_back(std::move(*address));
  }
  return addresses;
}

std::string cluster_address(const Value& spec) {
  std::vector<std::string> addresses = addresses_of(spec.at("clusterIPs"));
  if (!addresses.empty()) return addresses.front();
  return canonical_address(spec.at("clusterIP").as_string()).value_or("");
}

}  // namespace

std::optional<std::string> canonical_address(std::string_view text) {
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  char canonical[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &parsed, canonical, sizeof canonical);
}

std::optional<std::string> canonical_range(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(text.substr(0, slash)).c_str(), &parsed) != 1) return std::nullopt;
  int length = -1;
  const char* end = text.data() + text.size();
  auto read = std::from_chars(text.data() + slash + 1, end, length);
  if (read.ec != std::errc() || read.ptr != end || length < 0 || length > 32) return std::nullopt;
  const uint32_t mask = length == 0 ? 0 : ~uint32_t{0} << (32 - length);
  parsed.s_addr &= htonl(mask);
  char canonical[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &parsed, canonical, sizeof canonical);
  return std::string(canonical) + "/" + std::to_string(length);
}

std::optional<ServiceSpec> read_service(const Object& object) {
  const Value& spec = object.spec();
  if (spec.at("type").as_string() == "ExternalName") return std::nullopt;
  if (object.metadata().at({"labels", kProxyNameLabel}).is_string()) return std::nullopt;
  ServiceSpec service;
  service.cluster_ip = cluster_address(spec);
  if (service.cluster_ip.empty()) return std::nullopt;
  service.key = std::string(object.ns()) + "/" + std::string(object.name());
  service.ports = ports_of(spec.at("ports"));
  service.external_ips = addresses_of(spec.at("externalIPs"));
  if (spec.at("type").as_string() == "LoadBalancer") service.load_balancer_ips = ingress_addresses(object);
  for (const Value& range : spec.at("loadBalancerSourceRanges").items()) {
    if (auto canonical = canonical_range(range.as_string())) service.load_balancer_sources.push_back(*canonical);
  }
  service.external_local = spec.at("externalTrafficPolicy").as_string() == "Local";
  service.internal_local = spec.at("internalTrafficPolicy").as_string() == "Local";
  if (spec.at("sessionAffinity").as_string() == "ClientIP") {
    const Value& limit = spec.at({"sessionAffinityConfig", "clientIP", "timeoutSeconds"});
    service.affinity = std::chrono::seconds(std::max<int64_t>(1, limit.as_int(kAffinitySecondsDefault)));
  }
  return service;
}

std::optional<SliceSpec> read_slice(const Object& object) {
  const Value& document = object.document();
  const Value& labels = object.metadata().at("labels");
  std::string_view name = labels.at(kServiceNameLabel).as_string();
  if (name.empty() || labels.find(kHeadlessLabel) != nullptr) return std::nullopt;
  if (document.at("addressType").as_string() != "IPv4") return std::nullopt;
  SliceSpec slice;
  slice.service = std::string(object.ns()) + "/" + std::string(name);
  slice.ports = ports_of(document.at("ports"));
  for (const Value& item : document.at("endpoints").items()) {
    // The addresses of one endpoint are one and the same; consumers use the first.
    auto address = item.at("addresses").items().empty()
                       ? std::nullopt
                       : canonical_address(item.at("addresses").items().front().as_string());
    if (!address) continue;
    EndpointSpec endpoint;
    endpoint.address = std::move(*address);
    endpoint.node = item.at("nodeName").as_string();
    const Value& conditions = item.at("conditions");
    endpoint.ready = conditions.at("ready").as_bool(true);
    endpoint.serving = conditions.at("serving").as_bool(true);
    endpoint.terminating = conditions.at("terminating").as_bool(false);
    slice.endpoints.push_back(std::move(endpoint));
  }
  return slice;
}

}  // namespace stead::network::service_proxy
