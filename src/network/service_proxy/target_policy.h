#pragma once

// Which endpoints get a service port's connections, and which slot each has. Pure.

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "network/service_proxy/service_model.h"

namespace stead::network::service_proxy {

struct Target {
  std::string address;
  uint16_t port = 0;
  friend auto operator<=>(const Target&, const Target&) = default;
};

// Sorted, each once. Ready endpoints; where there are none, those that terminate but still serve (KEP-1669).
struct Targets {
  std::vector<Target> cluster;  // anywhere
  std::vector<Target> local;    // on this node, for the policy Local
};

// `slices` are those of the port's service; a slice's port counts if its name and protocol are the service port's.
Targets choose_targets(const PortSpec& port, const std::vector<const SliceSpec*>& slices, const std::string& node_name);

// `wanted` in an order that differs from `previous` in as few places as possible: who stays keeps its place, holes
// are filled by who is new, then from the end.
std::vector<Target> assign_slots(const std::vector<Target>& previous, const std::vector<Target>& wanted);

}  // namespace stead::network::service_proxy
