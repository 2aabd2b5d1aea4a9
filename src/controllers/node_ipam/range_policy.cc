#include "controllers/node_ipam/range_policy.h"

#include <algorithm>

namespace stead::controllers::node_ipam {

std::optional<Ipv4Range> free_range(const Ipv4Range& cluster, std::vector<Ipv4Range> taken) {
  std::sort(taken.begin(), taken.end(), [](const Ipv4Range& a, const Ipv4Range& b) { return a.first < b.first; });
  constexpr uint64_t kSize = uint64_t{1} << (32 - kNodePrefix);
  uint64_t next = cluster.first;
  for (const Ipv4Range& one : taken) {
    if (one.last < next) continue;
    if (one.first >= next + kSize) break;
    // Ranges of other sizes may end in the middle of a part.
    next = (uint64_t{one.last} / kSize + 1) * kSize;
  }
  if (next + kSize - 1 > cluster.last) return std::nullopt;
  auto first = static_cast<uint32_t>(next);
  return Ipv4Range{first, first + static_cast<uint32_t>(kSize - 1), kNodePrefix};
}

}  // namespace stead::controllers::node_ipam
