#include "network/pod_network/peer_routes_adapter.h"

#include <fmt/format.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/route/link/vxlan.h>
#include <netlink/route/nexthop.h>

#include <algorithm>
#include <set>

#include "base/ipv4_range.h"
#include "network/pod_network/netlink.h"

namespace stead::network {
namespace {

using netlink::failure;

constexpr uint8_t kRouteProtocol = 83;  // of those that nobody has been given
constexpr uint32_t kTunnelId = 1;
constexpr uint32_t kTunnelPort = 4789;  // RFC 7348

std::string first_address(const std::string& range) { return ipv4_text(Ipv4Range::parse(range)->first); }

Result<netlink::RawAddress> parse_hardware(const std::string& text) {
  nl_addr* address = nullptr;
  int code = nl_addr_parse(text.c_str(), AF_LLC, &address);
  if (code < 0) return failure("hardware address " + text, code);
  return netlink::RawAddress(address);
}

// The tunnel that is there, if it is of this address.
int tunnel_of(nl_sock* socket, const std::string& hardware) {
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(socket, 0, kTunnelLink, &found) < 0) return 0;
  netlink::Link link(found);
  char text[32] = {};
  if (nl_addr* address = rtnl_link_get_addr(link.get())) nl_addr2str(address, text, sizeof text);
  return hardware == text ? rtnl_link_get_ifindex(link.get()) : 0;
}

Result<int> ensure_tunnel(nl_sock* socket, const PodRoutes& routes) {
  std::string hardware = tunnel_hardware_address(routes.own_address);
  int index = tunnel_of(socket, hardware);
  if (index == 0) {
    STEAD_TRY_VOID(netlink::delete_link(socket, kTunnelLink));
    netlink::Link link(rtnl_link_vxlan_alloc());
    STEAD_TRY(local, netlink::parse(routes.own_address));
    STEAD_TRY(address, parse_hardware(hardware));
    rtnl_link_set_name(link.get(), kTunnelLink);
    rtnl_link_set_addr(link.get(), address.get());
    rtnl_link_set_mtu(link.get(), static_cast<unsigned>(mtu_towards(routes.own_address) - kTunnelOverhead));
    rtnl_link_vxlan_set_id(link.get(), kTunnelId);
    rtnl_link_vxlan_set_local(link.get(), local.get());
    rtnl_link_vxlan_set_port(link.get(), kTunnelPort);
    rtnl_link_vxlan_disable_learning(link.get());
    if (int code = rtnl_link_add(socket, link.get(), NLM_F_CREATE | NLM_F_EXCL); code < 0) {
      return failure(std::string("create link ") + kTunnelLink, code);
    }
    index = netlink::index_of(socket, kTunnelLink);
  }
  // What this machine itself sends to pods behind the tunnel comes from an address that leads back through it.
  STEAD_TRY_VOID(netlink::ensure_address(socket, index, first_address(routes.own_range)));
  STEAD_TRY_VOID(netlink::set_up(socket, index));
  return index;
}

Result<void> add_neighbour(nl_sock* socket, int index, int family, const std::string& address,
                           const std::string& hardware) {
  netlink::Neighbour neighbour(rtnl_neigh_alloc());
  STEAD_TRY(destination, netlink::parse(address));
  STEAD_TRY(link_address, parse_hardware(hardware));
  rtnl_neigh_set_ifindex(neighbour.get(), index);
  // In this order: a forwarding entry (AF_BRIDGE) has an IP destination, which libnl refuses once the family is set.
  rtnl_neigh_set_dst(neighbour.get(), destination.get());
  rtnl_neigh_set_family(neighbour.get(), family);
  rtnl_neigh_set_lladdr(neighbour.get(), link_address.get());
  rtnl_neigh_set_state(neighbour.get(), NUD_PERMANENT);
  if (family == AF_BRIDGE) rtnl_neigh_set_flags(neighbour.get(), NTF_SELF);
  int code = rtnl_neigh_add(socket, neighbour.get(), NLM_F_CREATE | NLM_F_REPLACE);
  return code < 0 ? Result<void>(failure("neighbour " + address, code)) : Result<void>();
}

// Nobody asks who has an address on the tunnel: each node's end is known beforehand.
Result<void> add_tunnel_peer(nl_sock* socket, int index, const PeerRoute& peer) {
  std::string hardware = tunnel_hardware_address(peer.node_address);
  STEAD_TRY_VOID(add_neighbour(socket, index, AF_BRIDGE, peer.node_address, hardware));
  return add_neighbour(socket, index, AF_INET, first_address(peer.range), hardware);
}

Result<void> add_route(nl_sock* socket, const PeerRoute& peer, int tunnel, const std::string& tunnel_source) {
  bool direct = peer.link != 0;
  STEAD_TRY(destination, netlink::parse(peer.range));
  STEAD_TRY(gateway, netlink::parse(direct ? peer.node_address : first_address(peer.range)));
  netlink::Route route(rtnl_route_alloc());
  rtnl_route_set_family(route.get(), AF_INET);
  rtnl_route_set_table(route.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(route.get(), kRouteProtocol);
  rtnl_route_set_dst(route.get(), destination.get());
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, direct ? peer.link : tunnel);
  rtnl_route_nh_set_gateway(hop, gateway.get());
  if (!direct) {
    rtnl_route_nh_set_flags(hop, RTNH_F_ONLINK);
    STEAD_TRY(source, netlink::parse(tunnel_source));
    rtnl_route_set_pref_src(route.get(), source.get());
  }
  rtnl_route_add_nexthop(route.get(), hop);
  int code = rtnl_route_add(socket, route.get(), NLM_F_CREATE | NLM_F_REPLACE);
  return code < 0 ? Result<void>(failure("route " + peer.range, code)) : Result<void>();
}

// Deletes our routes to ranges that are not in `keep`.
Result<void> delete_others(nl_sock* socket, const std::set<std::string>& keep) {
  nl_cache* read = nullptr;
  if (int code = rtnl_route_alloc_cache(socket, AF_INET, 0, &read); code < 0) return failure("routes", code);
  netlink::Cache cache(read);
  std::vector<rtnl_route*> stale;
  for (nl_object* object = nl_cache_get_first(read); object != nullptr; object = nl_cache_get_next(object)) {
    auto* route = reinterpret_cast<rtnl_route*>(object);
    if (rtnl_route_get_protocol(route) != kRouteProtocol) continue;
    char text[64] = {};
    nl_addr2str(rtnl_route_get_dst(route), text, sizeof text);
    if (!keep.contains(text)) stale.push_back(route);
  }
  for (rtnl_route* route : stale) {
    int code = rtnl_route_delete(socket, route, 0);
    if (code < 0 && code != -NLE_OBJ_NOTFOUND && code != -NLE_FAILURE) return failure("delete a route", code);
  }
  return {};
}

}  // namespace

Result<void> apply_peer_routes(const PodRoutes& routes) {
  STEAD_TRY(socket, netlink::connect());
  bool tunnelled =
      std::any_of(routes.peers.begin(), routes.peers.end(), [](const PeerRoute& peer) { return peer.link == 0; });
  // Without a range of its own a node has no end of the tunnel, and no pods to reach others from.
  tunnelled = tunnelled && !routes.own_range.empty();
  int tunnel = 0;
  if (tunnelled) {
    STEAD_TRY(index, ensure_tunnel(socket.get(), routes));
    tunnel = index;
  }
  std::set<std::string> kept;
  for (const PeerRoute& peer : routes.peers) {
    if (peer.link == 0 && !tunnelled) continue;
    if (peer.link == 0) STEAD_TRY_VOID(add_tunnel_peer(socket.get(), tunnel, peer));
    std::string source = tunnelled ? first_address(routes.own_range) : std::string();
    STEAD_TRY_VOID(add_route(socket.get(), peer, tunnel, source));
    kept.insert(peer.range);
  }
  STEAD_TRY_VOID(delete_others(socket.get(), kept));
  return tunnelled ? Result<void>() : netlink::delete_link(socket.get(), kTunnelLink);
}

Result<void> remove_peer_routes() {
  STEAD_TRY(socket, netlink::connect());
  STEAD_TRY_VOID(delete_others(socket.get(), {}));
  return netlink::delete_link(socket.get(), kTunnelLink);
}

}  // namespace stead::network
