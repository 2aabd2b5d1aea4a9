#pragma once

// Where the API server reads what nodes use: /stats/summary of their kubelet paths, through the node gateway.

#include <memory>

#include "apiserver/node_gateway.h"
#include "apiserver/usage/usage_source.h"
#include "loop/asio_loop.h"

namespace stead::app {

// References outlive it. Belongs to `loop`, the API's.
std::unique_ptr<apiserver::UsageSource> make_node_usage(apiserver::NodeGateway& nodes, loop::AsioLoop& loop);

}  // namespace stead::app
