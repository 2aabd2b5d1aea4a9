#pragma once

// The ports of its node that a pod takes. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "object/value.h"

namespace stead::kinds {

struct HostPort {
  std::string ip;        // "" is every address
  std::string protocol;  // "TCP", "UDP", "SCTP"
  int64_t port = 0;
  bool conflicts_with(const HostPort& other) const;
};

// Those of main containers and sidecars; init containers that end give theirs back.
std::vector<HostPort> host_ports(const object::Value& pod_spec);

}  // namespace stead::kinds
