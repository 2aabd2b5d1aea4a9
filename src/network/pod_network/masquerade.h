#pragma once

// Pods leave the machine under its own address: connections from the pod range to anything outside the cluster's
// ranges are masqueraded. In a table of its own (`ip stead-pods`), so that no other part's rules are replaced with
// it. Blocking, any thread, in the network namespace of the caller.

#include <string>
#include <vector>

#include "base/result.h"

namespace stead::network {

struct MasqueradeOptions {
  std::vector<std::string> pod_cidrs;
  std::vector<std::string> service_cidrs;
};

// Puts the rules in place in one transaction, whatever was there before. kBadRequest names a range that is none.
Result<void> ensure_masquerade(const MasqueradeOptions& options);

// Takes them away. Idempotent.
Result<void> remove_masquerade();

// The transaction as libnftables' JSON. Pure.
Result<std::string> masquerade_rules(const MasqueradeOptions& options);

}  // namespace stead::network
