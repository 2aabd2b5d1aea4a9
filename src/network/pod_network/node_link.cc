#include "network/pod_network/node_link.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include <fstream>
#include <memory>

namespace stead::network {

namespace {

constexpr char kForwardingPath[] = "/proc/sys/net/ipv4/ip_forward";

template <class T, void (*free_function)(T*)>
struct Freer {
  void operator()(T* object) const { free_function(object); }
};
using Socket = std::unique_ptr<nl_sock, Freer<nl_sock, nl_socket_free>>;
using Link = std::unique_ptr<rtnl_link, Freer<rtnl_link, rtnl_link_put>>;
using Address = std::unique_ptr<rtnl_addr, Freer<rtnl_addr, rtnl_addr_put>>;
using Route = std::unique_ptr<rtnl_route, Freer<rtnl_route, rtnl_route_put>>;
using RawAddress = std::unique_ptr<nl_addr, Freer<nl_addr, nl_addr_put>>;

Error netlink_error(const std::string& what, int code) {
  return make_error(Reason::kInternal, what + ": " + nl_geterror(code));
}

Result<Socket> connect() {
  Socket socket(nl_socket_alloc());
  if (!socket) return make_error(Reason::kInternal, "out of memory");
  if (int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) return netlink_error("netlink", code);
  return socket;
}

// An address or range ("10.43.0.1", "10.43.0.0/16") of IPv4.
Result<RawAddress> parse(const std::string& text) {
  nl_addr* address = nullptr;
  const bool parsed = nl_addr_parse(text.c_str(), AF_INET, &address) >= 0;
  RawAddress result(address);
  if (!parsed || nl_addr_get_prefixlen(address) > 32) {
    return make_error(Reason::kBadRequest, fmt::format("\"{}\" is no IPv4 address or range", text));
  }
  return result;
}

// The link's index; 0: not there.
int index_of(nl_sock* socket, const std::string& name) {
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(socket, 0, name.c_str(), &found) < 0) return 0;
  return rtnl_link_get_ifindex(Link(found).get());
}

Result<int> ensure_bridge(nl_sock* socket, const std::string& name) {
  int index = index_of(socket, name);
  if (index == 0) {
    Link link(rtnl_link_bridge_alloc());
    rtnl_link_set_name(link.get(), name.c_str());
    if (int code = rtnl_link_add(socket, link.get(), NLM_F_CREATE | NLM_F_EXCL); code < 0 && code != -NLE_EXIST) {
      return netlink_error("create link " + name, code);
    }
    index = index_of(socket, name);
  }
  Link original(rtnl_link_alloc());
  Link change(rtnl_link_alloc());
  rtnl_link_set_ifindex(original.get(), index);
  rtnl_link_set_flags(change.get(), IFF_UP);
  if (int code = rtnl_link_change(socket, original.get(), change.get(), 0); code < 0) {
    return netlink_error("set link " + name + " up", code);
  }
  return index;
}

Result<void> ensure_address(nl_sock* socket, int index, const std::string& text) {
  STEAD_TRY(raw, parse(text));
  Address address(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(address.get(), index);
  rtnl_addr_set_local(address.get(), raw.get());
  rtnl_addr_set_prefixlen(address.get(), 32);
  int code = rtnl_addr_add(socket, address.get(), NLM_F_CREATE);
  if (code < 0 && code != -NLE_EXIST) return netlink_error("add address " + text, code);
  return {};
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
  if (code < 0) return netlink_error("route " + cidr, code);
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
  STEAD_TRY(socket, connect());
  STEAD_TRY(index, ensure_bridge(socket.get(), options.name));
  for (const std::string& address : options.addresses) {
    STEAD_TRY_VOID(ensure_address(socket.get(), index, address));
  }
  for (const std::string& cidr : options.service_cidrs) {
    STEAD_TRY_VOID(ensure_route(socket.get(), cidr, index, options.source));
  }
  for (const std::string& cidr : options.pod_cidrs) STEAD_TRY_VOID(ensure_route(socket.get(), cidr, 0, ""));
  return enable_forwarding(options.state_path);
}

Result<void> remove_node_link(const NodeLinkOptions& options) {
  STEAD_TRY(socket, connect());
  if (int index = index_of(socket.get(), options.name); index != 0) {
    Link link(rtnl_link_alloc());
    rtnl_link_set_ifindex(link.get(), index);
    if (int code = rtnl_link_delete(socket.get(), link.get()); code < 0 && code != -NLE_NODEV) {
      return netlink_error("delete link " + options.name, code);
    }
  }
  for (const std::string& cidr : options.pod_cidrs) {
    STEAD_TRY(route, make_route(cidr, 0, ""));
    int code = rtnl_route_delete(socket.get(), route.get(), 0);
    if (code < 0 && code != -NLE_OBJ_NOTFOUND && code != -NLE_FAILURE)
      return netlink_error("delete route " + cidr, code);
  }
  if (options.state_path.empty() || read_line(options.state_path).empty()) return {};
  STEAD_TRY_VOID(write_line(kForwardingPath, read_line(options.state_path)));
  std::remove(options.state_path.c_str());
  return {};
}

}  // namespace stead::network
