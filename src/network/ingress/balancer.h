#pragma once

// What the load balancer shall do, as plain values that compare.
//
//   request ──host, path──▶ backend ──▶ one of its servers
//
// Of several matching rules the one with the most specific host counts (the host itself, a wildcard, any host), then an
// exact path before a prefix, then the longest prefix (networking.k8s.io/v1 Ingress, "Multiple matches").

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stead::network::ingress {

struct Server {
  std::string address;
  uint16_t port = 0;
  auto operator<=>(const Server&) const = default;
};

// A host's name, ".example.com" for exactly one label below, or "*" for any.
using HostPattern = std::string;

struct Route {
  HostPattern host;
  std::string path;  // prefixes without their last '/': "" is every path
  auto operator<=>(const Route&) const = default;
};

struct Certificate {
  std::string pem;                 // certificates, then the key
  std::vector<std::string> hosts;  // "a.example.com", "*.example.com"; empty: the names it holds
  auto operator<=>(const Certificate&) const = default;
};

struct Balancer {
  std::map<Route, std::string> exact;                // to names of backends
  std::map<Route, std::string> prefixes;             // whole path elements
  std::map<HostPattern, std::string> host_defaults;  // for paths of a host that no rule matches
  std::string fallback;                              // for everything else; empty: 404
  // Sorted servers by name. One without servers answers 503.
  std::map<std::string, std::vector<Server>> backends;
  std::map<std::string, Certificate> certificates;  // by "ns_secret"
  friend bool operator==(const Balancer&, const Balancer&) = default;
};

}  // namespace stead::network::ingress
