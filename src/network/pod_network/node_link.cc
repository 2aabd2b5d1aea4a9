#include "network/pod_network/node_link.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/nexthop.h>

#include <fstream>

#include "network/pod_network/netlink.h"

namespace stead::network {

namespace {

constexpr char kForwardingPath[] = "/proc/sys/net/ipv4/ip_forward";

using netlink::failure;
using netlink::index_of;
using netlink::Link;
using netlink::parse;
using netlink::Route;

Result<int> ensure_bridge(nl_sock* socket, const std::string& name) {
  int index = index_of(socket, name);
  if (index == 0) {
    Link link(rtnl_link_bridge_alloc());
    rtnl_link_set_name(link.get(), name.c_str());
    if (int code = rtnl_link_add(socket, link.get(), NLM_F_CREATE | NLM_F_EXCL); code < 0 && code != -NLE_EXIST) {
      return failure("create link " + name, code);
    }
    index = index_of(socket, name);
  }
  auto up = netlink::set_up(socket, index);
  if (!up.ok()) return up.error().with_context(name);
  return index;
}

// A route of `cidr` to link `index`, or an unreachable one for index 0.
Result<Route> make_route(const std::string& cidr, int index, const std::string& source) {
  STEAD_TRY(destination, parse(cidr));
  Route route(rtnl_route_alloc());
  rtnl_route_set_family(route.get(), AF_INET);
  rtnl_route_set_table(route.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_route_set_dst(route.get(), destination.get());
  if (index == 0) {
    rtnl_route_set_type(route.get(), RTN_UNREACHABLE);
    return route;
  }
  rtnl_route_set_scope(route.get(), RT_SCOPE_LINK);
  if (!source.empty()) {
    STEAD_TRY(preferred, parse(source));
    rtnl_route_set_pref_src(route.get(), preferred.get());
  }
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, index);
  rtnl_route_add_nexthop(route.get(), hop);
  return route;
}

Result<void> ensure_route(nl_sock* socket, const std::string& cidr, int index, const std::string& source) {
  STEAD_TRY(route, make_route(cidr, index, source));
  int code = rtnl_route_add(socket, route.get(), NLM_F_CREATE | NLM_F_REPLACE);
  if (code < 0) return failure("route " + cidr, code);
  return {};
}

Result<void> write_line(const std::string& path, const std::string& line) {
  std::ofstream file(path, std::ios::trunc);
  file << line << '\n';
  file.close();
  if (!file) return errno_error("write " + path, errno);
  return {};
}

std::string read_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

Result<void> enable_forwarding(const std::string& state_path) {
  const std::string before = read_line(kForwardingPath);
  if (!state_path.empty() && read_line(state_path).empty()) STEAD_TRY_VOID(write_line(state_path, before));
  return before == "1" ? Result<void>() : write_line(kForwardingPath, "1");
}

}  // namespace

Result<void> ensure_node_link(const NodeLinkOptions& options) {
  STEAD_TRY(socket, netlink::connect());
  STEAD_TRY(index, ensure_bridge(socket.get(), options.name));
  for (const std::string& address : options.addresses) {
    STEAD_TRY_VOID(netlink::ensure_address(socket.get(), index, address));
  }
  for (const std::string& cidr : options.service_cidrs) {
    STEAD_TRY_VOID(ensure_route(socket.get(), cidr, index, options.source));
  }
  for (const std::string& cidr : options.pod_cidrs) STEAD_TRY_VOID(ensure_route(socket.get(), cidr, 0, ""));
  return enable_forwarding(options.state_path);
}

Result<void> remove_node_link(const NodeLinkOptions& options) {
  STEAD_TRY(socket, netlink::connect());
  STEAD_TRY_VOID(netlink::delete_link(socket.get(), options.name));
  for (const std::string& cidr : options.pod_cidrs) {
    STEAD_TRY(route, make_route(cidr, 0, ""));
    int code = rtnl_route_delete(socket.get(), route.get(), 0);
    if (code < 0 && code != -NLE_OBJ_NOTFOUND && code != -NLE_FAILURE) return failure("delete route " + cidr, code);
  }
  if (options.state_path.empty() || read_line(options.state_path).empty()) return {};
  STEAD_TRY_VOID(write_line(kForwardingPath, read_line(options.state_path)));
  std::remove(options.state_path.c_str());
  return {};
}

}  // namespace stead::network
