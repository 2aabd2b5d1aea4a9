#pragma once

// The one place where the load balancer is touched.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "network/ingress/balancer.h"
#include "network/ingress/haproxy_config.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::network::ingress {

class LoadBalancerAdapter {
 public:
  virtual ~LoadBalancerAdapter() = default;
  // Returns once connections are treated as `balancer` says; starts what is not running. Blocking; any thread, one call
  // at a time; in the network namespace of the caller. After an error the state is what it was, or unknown.
  virtual Result<void> apply(const Balancer& balancer) = 0;
  // Ends it. Idempotent. As apply().
  virtual Result<void> stop() = 0;
  // `ended` runs on the loop whenever the process ends that apply() left running. Set before the first apply().
  virtual void on_end(std::function<void()> ended) = 0;
};

// HAProxy, in `directory` (made with mode 0700). A running one is taken over by the first apply(). The adapter's end
// leaves it running.
std::shared_ptr<LoadBalancerAdapter> make_haproxy_adapter(loop::AsioLoop& loop, std::string directory,
                                                          HaproxyOptions options);

// Ends the HAProxy of a directory and removes the directory. Idempotent; blocking.
Result<void> stop_ingress(const std::string& directory);

}  // namespace stead::network::ingress
