#pragma once

// The fixed part of the table `ip stead-services`: its hooks, chains and empty maps. Pure.
//
//   nat prerouting ─┬─ from outside ─▶ from_outside (policy Local) ─┐
//                   └───────────────────────────────────────────────┴─▶ find_service ─▶ find_node_port
//   nat output ─────────────────────────────────────────────────────────▶ find_service
//   nat postrouting ─▶ masquerades what must come back through this node
//   filter prerouting ─▶ guarded_addresses (source ranges); loopback guard
//   filter input, forward, output ─▶ refuse_unserved: services without endpoints, unused service addresses

#include <string>
#include <vector>

#include "base/result.h"

namespace stead::network::service_proxy {

struct FrameOptions {
  std::vector<std::string> pod_cidrs;
  std::vector<std::string> service_cidrs;
  std::vector<std::string> own_addresses;  // services that this process serves itself: left alone
};

// The commands that make the table, whatever was there before. kBadRequest names a range or address that is none.
Result<std::string> rule_frame(const FrameOptions& options);

}  // namespace stead::network::service_proxy
