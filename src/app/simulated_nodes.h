#pragma once

// Any number of node parts in this process whose containers exist in memory only: the same Node as everywhere, each on
// a FakeRuntime, all on one loop and thread. They touch neither network nor disk, so no root is needed.

#include <memory>
#include <string>
#include <vector>

#include "apiserver/api_server.h"
#include "app/node_gateway.h"
#include "loop/asio_loop.h"
#include "node/node.h"

namespace stead::app {

struct SimulatedNodePlace {
  std::string name;
  std::string address;
  std::string pod_range;  // a /24
};

// Pure: where each of `count` nodes is. One node is called `name` if that is not empty; others node-1, node-2 …
// Pod ranges follow one another from the start of `pod_cidr`, past its end if need be, and leave out `service_cidr`;
// the nodes' own addresses are of the range kept for benchmarks (RFC 2544). kInvalid for ranges that are none or
// where the address space ends first.
Result<std::vector<SimulatedNodePlace>> place_simulated_nodes(int count, const std::string& name,
                                                              const std::string& pod_cidr,
                                                              const std::string& service_cidr);

class SimulatedNodes {
 public:
  // `api` and `gateway` outlive this. `options` is what all nodes have in common.
  SimulatedNodes(apiserver::ApiServer& api, ClusterNodeGateway& gateway, const std::vector<SimulatedNodePlace>& places,
                 const node::NodeOptions& options);
  // The containers end with it.
  ~SimulatedNodes();

 private:
  struct One;
  ClusterNodeGateway& gateway_;
  std::unique_ptr<loop::WorkerPool> pool_;
  std::unique_ptr<node::NodeFiles> files_;
  std::unique_ptr<node::Dialer> dialer_;
  std::vector<std::unique_ptr<One>> nodes_;
  // First to go: what it still holds refers to the rest.
  loop::AsioLoop loop_;
};

}  // namespace stead::app
