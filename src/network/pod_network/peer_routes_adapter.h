#pragma once

// Routes to other nodes' pods and the tunnel, in the kernel. Routes of ours carry a protocol number of their own, so
// that what a former run left is known. Blocking, any thread, one call at a time.

#include "base/result.h"
#include "network/pod_network/route_policy.h"

namespace stead::network {

// The tunnel's link; it is there while some route needs it.
inline constexpr char kTunnelLink[] = "stead-vxlan";

// What the tunnel adds to each packet: outer IPv4, UDP and VXLAN headers and the inner Ethernet header.
inline constexpr int kTunnelOverhead = 50;

// Makes the kernel's routes to peers exactly these.
Result<void> apply_peer_routes(const PodRoutes& routes);

// Takes all of them away, and the tunnel. Idempotent.
Result<void> remove_peer_routes();

}  // namespace stead::network
