#pragma once

// What Services and EndpointSlices say about forwarding, read into plain values. IPv4 only. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "object/object.h"

namespace stead::network::service_proxy {

struct PortSpec {
  std::string name;
  std::string protocol;  // "tcp", "udp", "sctp"
  uint16_t port = 0;
  uint16_t node_port = 0;  // 0: none
};

struct ServiceSpec {
  std::string key;  // "ns/name"
  std::string cluster_ip;
  std::vector<std::string> external_ips;           // spec.externalIPs
  std::vector<std::string> load_balancer_ips;      // status.loadBalancer.ingress
  std::vector<std::string> load_balancer_sources;  // empty: everybody
  std::vector<PortSpec> ports;
  bool external_local = false;       // externalTrafficPolicy: Local
  bool internal_local = false;       // internalTrafficPolicy: Local
  std::chrono::seconds affinity{0};  // of sessionAffinity ClientIP; 0: none
};

struct EndpointSpec {
  std::string address;
  std::string node;
  bool ready = true;
  bool serving = true;
  bool terminating = false;
};

struct SliceSpec {
  std::string service;  // "ns/name"
  std::vector<EndpointSpec> endpoints;
  std::vector<PortSpec> ports;
};

// "10.43.0.1" in the one form it has; nullopt if `text` is no IPv4 address. Everything that gets into a rule's text
// passes here or is a number.
std::optional<std::string> canonical_address(std::string_view text);
// "10.0.0.0/8"; nullopt if `text` is no IPv4 range.
std::optional<std::string> canonical_range(std::string_view text);

// nullopt: no rules are made for it (headless, ExternalName, without an IPv4 address, or left to another proxy by
// label service.kubernetes.io/service-proxy-name).
std::optional<ServiceSpec> read_service(const object::Object& service);
// nullopt: not of a service, of a headless one, or not of IPv4 addresses.
std::optional<SliceSpec> read_slice(const object::Object& slice);

}  // namespace stead::network::service_proxy
