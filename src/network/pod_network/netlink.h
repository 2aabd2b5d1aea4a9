#pragma once

// libnl's objects as owners, and the few requests that several files here make. Blocking; internal to this folder.

#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace stead::network::netlink {

template <class T, void (*free_function)(T*)>
struct Freer {
  void operator()(T* object) const { free_function(object); }
};
using Socket = std::unique_ptr<nl_sock, Freer<nl_sock, nl_socket_free>>;
using Cache = std::unique_ptr<nl_cache, Freer<nl_cache, nl_cache_free>>;
using Link = std::unique_ptr<rtnl_link, Freer<rtnl_link, rtnl_link_put>>;
using Address = std::unique_ptr<rtnl_addr, Freer<rtnl_addr, rtnl_addr_put>>;
using Neighbour = std::unique_ptr<rtnl_neigh, Freer<rtnl_neigh, rtnl_neigh_put>>;
using Route = std::unique_ptr<rtnl_route, Freer<rtnl_route, rtnl_route_put>>;
using RawAddress = std::unique_ptr<nl_addr, Freer<nl_addr, nl_addr_put>>;

Error failure(const std::string& what, int code);
Result<Socket> connect();
// An address or range ("10.43.0.1", "10.43.0.0/16") of IPv4. kBadRequest names what is none.
Result<RawAddress> parse(const std::string& text);
// The link's index; 0: not there.
int index_of(nl_sock* socket, const std::string& name);
Result<void> set_up(nl_sock* socket, int index);
// `text` on the link, as /32. Idempotent.
Result<void> ensure_address(nl_sock* socket, int index, const std::string& text);
// Idempotent.
Result<void> delete_link(nl_sock* socket, const std::string& name);

}  // namespace stead::network::netlink
