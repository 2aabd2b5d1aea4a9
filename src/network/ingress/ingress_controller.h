#pragma once

// The cluster's Ingresses of our class, made true in a load balancer on this node. It runs while there is one to serve.
// Belongs to one loop; every call on it (constructor and start() also before it runs).

#include <memory>
#include <string>

#include "client/transport.h"
#include "loop/loop.h"
#include "network/ingress/load_balancer_adapter.h"

namespace stead::network::ingress {

class IngressController {
 public:
  // `transport`, `loop` and `pool` must outlive the controller, and `loop` must outlive `pool`'s work. `address` is
  // where the balancer is reached: it becomes the status of each Ingress that is served.
  IngressController(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool,
                    std::shared_ptr<LoadBalancerAdapter> balancer, std::string address);
  ~IngressController();

  // Begins to follow the API. What cannot be served as it says becomes a Warning Event on its Ingress. After the
  // balancer refused a change or died, it is tried again with exponential back-off between 100 ms and 30 s.
  void start();
  // Whether the balancer does what was seen so far.
  bool settled() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::network::ingress
