#pragma once

// One call of the gRPC health checking protocol.

#include "node/probes/handler.h"

namespace stead::node {

// Asks `host` (an IP address) at handler.port for the health of handler.service, without TLS, as the kubelet does. Only
// SERVING is a success. Blocks for `timeout` at most; any thread.
HandlerAnswer grpc_check(const Handler& handler, const std::string& host, std::chrono::milliseconds timeout);

}  // namespace stead::node
