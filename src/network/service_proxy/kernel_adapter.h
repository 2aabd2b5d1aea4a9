#pragma once

// The one place where forwarding rules and remembered flows of the kernel are touched. Blocking; any thread, one call
// at a time; in the network namespace of the caller.

#include <memory>
#include <string>

#include "base/result.h"
#include "network/service_proxy/service_table.h"

namespace stead::network::service_proxy {

class KernelAdapter {
 public:
  virtual ~KernelAdapter() = default;
  // Rules in one transaction (all or nothing), then stale flows. An error says that the rules are as before, or that
  // flows may be left.
  virtual Result<void> apply(const Change& change) = 0;
};

// libnftables and ctnetlink.
std::shared_ptr<KernelAdapter> make_kernel_adapter();

// Takes the table away. Idempotent.
Result<void> remove_table();

// Deletes remembered UDP flows to `fronts`, but for those that go to the targets given there. Needs CAP_NET_ADMIN.
Result<void> delete_stale_flows(const UdpFronts& fronts);

}  // namespace stead::network::service_proxy
