#include "network/pod_network/route_policy.h"

#include <fmt/format.h>

#include "base/ipv4_range.h"

namespace stead::network {

PodNetworkMode pod_network_mode(std::string_view name) {
  if (name == "direct") return PodNetworkMode::kDirect;
  return name == "vxlan" ? PodNetworkMode::kVxlan : PodNetworkMode::kAuto;
}

NodePlace node_place(const object::Object& node) {
  NodePlace place;
  place.name = node.name();
  place.range = node.spec().at("podCIDR").as_string();
  for (const object::Value& address : node.status().at("addresses").items()) {
    if (place.address.empty() && address.at("type").as_string() == "InternalIP") {
      place.address = address.at("address").as_string();
    }
  }
  return place;
}

PodRoutes decide_routes(const std::string& own_name, PodNetworkMode mode, const std::vector<NodePlace>& nodes,
                        const std::vector<LinkAddress>& links) {
  PodRoutes routes;
  for (const NodePlace& node : nodes) {
    std::optional<Ipv4Range> range = Ipv4Range::parse(node.range);
    if (!range || range->prefix < 1 || range->prefix > 31 || !parse_ipv4(node.address)) continue;
    if (node.name == own_name) {
      routes.own_address = node.address;
      routes.own_range = range->text();
      continue;
    }
    std::optional<LinkAddress> shared = link_shared_with(node.address, links);
    bool direct = mode != PodNetworkMode::kVxlan && shared;
    if (!direct && mode == PodNetworkMode::kDirect) continue;
    routes.peers.push_back({range->text(), node.address, direct ? shared->index : 0});
  }
  return routes;
}

std::string tunnel_hardware_address(const std::string& node_address) {
  uint32_t number = parse_ipv4(node_address).value_or(0);
  return fmt::format("0a:73:{:02x}:{:02x}:{:02x}:{:02x}", number >> 24, (number >> 16) & 255, (number >> 8) & 255,
                     number & 255);
}

}  // namespace stead::network
