#pragma once

// The cluster's services, made true in this node's kernel: connections to service addresses and node ports are
// forwarded to ready endpoints, or refused where there are none. Rules stand in the table `ip stead-services`, which
// is this part's own. They outlive the ServiceProxy (connections go on while the program restarts); the next one
// replaces them in one transaction.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace stead::client {
class ApiTransport;
}
namespace stead::loop {
class Loop;
class WorkerPool;
}  // namespace stead::loop

namespace stead::network {

namespace service_proxy {
class KernelAdapter;
}

struct ServiceProxyOptions {
  std::string node_name;  // whose endpoints count as local
  std::vector<std::string> pod_cidrs;
  std::vector<std::string> service_cidrs;
  std::vector<std::string> own_addresses;  // services that this process serves itself on the node link: left alone
};

// Belongs to one loop; every call on it (constructor and start() also before it runs).
class ServiceProxy {
 public:
  // `transport`, `loop` and `pool` must outlive the proxy, and `loop` must outlive `pool`'s work.
  ServiceProxy(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool,
               std::shared_ptr<service_proxy::KernelAdapter> kernel, ServiceProxyOptions options);
  ~ServiceProxy();

  // Begins to follow the API; rules are made once the first lists have come. After the kernel refused a change,
  // everything is made anew, with exponential back-off between 100 ms and 30 s. kBadRequest names a bad option.
  Result<void> start();
  // Whether the kernel has every change seen so far.
  bool settled() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Lets this machine reach node ports on its loopback addresses (net.ipv4.conf.all.route_localnet; the proxy's rules
// keep the network from using it). `state_path` remembers what it was.
Result<void> enable_loopback_node_ports(const std::string& state_path);

// Takes the rules away and sets the loopback switch back. Idempotent; blocking; any thread.
Result<void> remove_service_rules(const std::string& state_path);

}  // namespace stead::network
