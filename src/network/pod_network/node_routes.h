#pragma once

// Follows the cluster's nodes and keeps this machine's routes to their pods. What the kernel refuses is tried again
// with back-off between 100 ms and 30 s. Belongs to one loop.

#include <memory>
#include <string>

#include "base/result.h"
#include "network/pod_network/route_policy.h"

namespace stead::client {
class ApiTransport;
}
namespace stead::loop {
class Loop;
class WorkerPool;
}  // namespace stead::loop

namespace stead::network {

class NodeRoutes {
 public:
  // References outlive this, and `loop` the pool's work. `node_name` is this machine's.
  NodeRoutes(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool, std::string node_name,
             PodNetworkMode mode);
  // The kernel's routes stay.
  ~NodeRoutes();
  void start();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::network
