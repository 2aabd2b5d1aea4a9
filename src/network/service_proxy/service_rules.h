#pragma once

// From one service and its targets to the pieces it wants in the table. Pure.
//
// A connection's way (nat hooks; the fixed chains are drawn in rule_frame.h):
//
//   find_service ── (address, protocol, port) ──▶ pick-address-tcp-3 ── and a random slot < 3 ──▶ target
//                └─ (protocol, port) of a node ─▶ pick-node-port-tcp-3 ── the same ─────────────▶ target
//
// The chain depends on nothing but the number of targets, so a change of one target changes map elements only. A port
// with session affinity goes to chains of its own instead, one for each target, which remember the clients they got.

#include <string>
#include <vector>

#include "network/service_proxy/rule_set.h"
#include "network/service_proxy/service_model.h"
#include "network/service_proxy/target_policy.h"

namespace stead::network::service_proxy {

// `targets`: for each of the service's ports, in slot order. `own_addresses` are served by this process: nothing is
// said about them.
Pieces service_pieces(const ServiceSpec& service, const std::vector<Targets>& targets,
                      const std::vector<std::string>& own_addresses);

// Where a service takes UDP: what the kernel remembers of flows to there is true only for these targets.
struct UdpFront {
  std::string address;  // empty: a node port
  uint16_t port = 0;
  friend auto operator<=>(const UdpFront&, const UdpFront&) = default;
};
using UdpFronts = std::map<UdpFront, std::set<Target>>;
UdpFronts udp_fronts(const ServiceSpec& service, const std::vector<Targets>& targets,
                     const std::vector<std::string>& own_addresses);

}  // namespace stead::network::service_proxy
