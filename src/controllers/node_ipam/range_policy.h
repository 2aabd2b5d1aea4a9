#pragma once

// Which part of the cluster's pod addresses a node gets: the lowest free one. Pure.

#include <optional>
#include <string>
#include <vector>

#include "base/ipv4_range.h"

namespace stead::controllers::node_ipam {

// A node's part: 256 addresses, of which 253 are for pods.
inline constexpr int kNodePrefix = 24;

// nullopt: no part of `cluster` is free. `taken` may be of any size and in any order.
std::optional<Ipv4Range> free_range(const Ipv4Range& cluster, std::vector<Ipv4Range> taken);

}  // namespace stead::controllers::node_ipam
