#include "network/pod_network/netlink.h"

#include <fmt/format.h>
#include <net/if.h>
#include <netlink/errno.h>

namespace stead::network::netlink {

Error failure(const std::string& what, int code) {
  return make_error(Reason::kInternal, what + ": " + nl_geterror(code));
}

Result<Socket> connect() {
  Socket socket(nl_socket_alloc());
  if (!socket) return make_error(Reason::kInternal, "out of memory");
  if (int code = nl_connect(socket.get(), NETLINK_ROUTE); code < 0) return failure("netlink", code);
  return socket;
}

Result<RawAddress> parse(const std::string& text) {
  nl_addr* address = nullptr;
  const bool parsed = nl_addr_parse(text.c_str(), AF_INET, &address) >= 0;
  RawAddress result(address);
  if (!parsed || nl_addr_get_prefixlen(address) > 32) {
    return make_error(Reason::kBadRequest, fmt::format("\"{}\" is no IPv4 address or range", text));
  }
  return result;
}

int index_of(nl_sock* socket, const std::string& name) {
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(socket, 0, name.c_str(), &found) < 0) return 0;
  return rtnl_link_get_ifindex(Link(found).get());
}

Result<void> set_up(nl_sock* socket, int index) {
  Link original(rtnl_link_alloc());
  Link change(rtnl_link_alloc());
  rtnl_link_set_ifindex(original.get(), index);
  rtnl_link_set_flags(change.get(), IFF_UP);
  if (int code = rtnl_link_change(socket, original.get(), change.get(), 0); code < 0) {
    return failure("set link up", code);
  }
  return {};
}

Result<void> ensure_address(nl_sock* socket, int index, const std::string& text) {
  STEAD_TRY(raw, parse(text));
  Address address(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(address.get(), index);
  rtnl_addr_set_local(address.get(), raw.get());
  rtnl_addr_set_prefixlen(address.get(), 32);
  int code = rtnl_addr_add(socket, address.get(), NLM_F_CREATE);
  if (code < 0 && code != -NLE_EXIST) return failure("add address " + text, code);
  return {};
}

Result<void> delete_link(nl_sock* socket, const std::string& name) {
  int index = index_of(socket, name);
  if (index == 0) return {};
  Link link(rtnl_link_alloc());
  rtnl_link_set_ifindex(link.get(), index);
  int code = rtnl_link_delete(socket, link.get());
  if (code < 0 && code != -NLE_NODEV) return failure("delete link " + name, code);
  return {};
}

}  // namespace stead::network::netlink
