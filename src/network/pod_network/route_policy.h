#pragma once

// How packets reach the pods of other nodes: to the node itself where a link is shared with it, else through a VXLAN
// tunnel (RFC 7348). Pure.

#include <string>
#include <string_view>
#include <vector>

#include "network/pod_network/link_facts.h"
#include "object/object.h"

namespace stead::network {

enum class PodNetworkMode : uint8_t {
  kAuto,    // directly where a link is shared, else by VXLAN
  kDirect,  // never by VXLAN: nodes without a shared link stay unreachable, as routers are told elsewhere
  kVxlan,   // always
};

// "direct" and "vxlan"; kAuto for anything else.
PodNetworkMode pod_network_mode(std::string_view name);

// A node as the API tells it.
struct NodePlace {
  std::string name;
  std::string address;  // InternalIP
  std::string range;    // of its pods
};
NodePlace node_place(const object::Object& node);

struct PeerRoute {
  std::string range;
  std::string node_address;
  int link = 0;  // directly, on the link of that index; 0: through the tunnel
  bool operator==(const PeerRoute&) const = default;
};

struct PodRoutes {
  std::string own_address;
  std::string own_range;  // empty: not known yet
  std::vector<PeerRoute> peers;
  bool operator==(const PodRoutes&) const = default;
};

// The routes that node `own_name` needs. Nodes without address or range, or with nonsense there, have none.
PodRoutes decide_routes(const std::string& own_name, PodNetworkMode mode, const std::vector<NodePlace>& nodes,
                        const std::vector<LinkAddress>& links);

// The hardware address of a node's end of the tunnel: made of its address, so that nobody needs to be told.
std::string tunnel_hardware_address(const std::string& node_address);

}  // namespace stead::network
