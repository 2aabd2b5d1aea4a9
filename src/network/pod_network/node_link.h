#pragma once

// The node's own link: a bridge without ports that holds service addresses served by stead itself, and takes the
// routes of the service range. Packets for a service without a rule end there instead of at an uplink (DESIGN 3.11).
// The pod range is routed as unreachable; each pod's own route and those of other nodes' ranges are narrower and
// win, so a packet to a pod that is gone is refused at once.

#include <string>
#include <vector>

#include "base/result.h"

namespace stead::network {

struct NodeLinkOptions {
  std::string name = "stead0";
  std::vector<std::string> addresses;      // "10.43.0.1", each held as /32
  std::vector<std::string> service_cidrs;  // routed to the link
  std::vector<std::string> pod_cidrs;      // unreachable but for narrower routes
  // The node's address: the source of this machine's own connections to services. Empty: the kernel's choice.
  std::string source;
  // A file that remembers whether forwarding was on before, for remove_node_link.
  std::string state_path;
};

// Makes or completes the link, its addresses and routes, and turns IPv4 forwarding on. Idempotent; the first thing
// that fails is the error. kBadRequest names an address or range that is none.
Result<void> ensure_node_link(const NodeLinkOptions& options);

// Takes all of it away and sets forwarding back to what it was. Idempotent. Needs name, pod_cidrs and state_path.
Result<void> remove_node_link(const NodeLinkOptions& options);

}  // namespace stead::network
