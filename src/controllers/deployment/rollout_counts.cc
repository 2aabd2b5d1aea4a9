#include "controllers/deployment/rollout_counts.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace stead::controllers::deployment {
namespace {

int64_t growth_of(const Object& deployment, const Share& share) {
  int64_t wanted = wanted_replicas(deployment);
  if (wanted == 0) return -share.replicas;
  int64_t before = share.max_before > 0 ? share.max_before : deployment.status().at("replicas").as_int();
  if (before <= 0) return 0;
  auto maximum = static_cast<double>(wanted + bounds_of(deployment).surge);
  double size = static_cast<double>(share.replicas) * maximum / static_cast<double>(before);
  return std::llround(size) - share.replicas;
}

}  // namespace

int64_t scaled_count(const Value& value, int64_t total, bool round_up) {
  if (value.is_int()) return value.as_int();
  std::string_view text = value.as_string();
  int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (percent * total + (round_up ? 99 : 0)) / 100;
}

int64_t wanted_replicas(const Object& deployment) {
  return std::max<int64_t>(0, deployment.spec().at("replicas").as_int(1));
}

bool rolls(const Object& deployment) { return deployment.spec().at({"strategy", "type"}).as_string() != "Recreate"; }

Bounds bounds_of(const Object& deployment) {
  if (!rolls(deployment)) return {};
  const Value& rolling = deployment.spec().at({"strategy", "rollingUpdate"});
  int64_t wanted = wanted_replicas(deployment);
  Bounds bounds{scaled_count(rolling.at("maxSurge"), wanted, true),
                scaled_count(rolling.at("maxUnavailable"), wanted, false)};
  if (bounds.surge == 0 && bounds.unavailable == 0) bounds.unavailable = 1;
  bounds.unavailable = std::min(bounds.unavailable, wanted);
  return bounds;
}

int64_t new_set_size(const Object& deployment, int64_t total, int64_t current) {
  int64_t wanted = wanted_replicas(deployment);
  if (!rolls(deployment)) return wanted;
  int64_t room = wanted + bounds_of(deployment).surge - total;
  if (room <= 0) return current;
  return current + std::min(room, wanted - current);
}

std::vector<int64_t> proportional_sizes(const Object& deployment, const std::vector<Share>& shares) {
  int64_t wanted = wanted_replicas(deployment);
  int64_t to_add = wanted > 0 ? wanted + bounds_of(deployment).surge : 0;
  std::vector<int64_t> sizes;
  for (const Share& share : shares) {
    to_add -= share.replicas;
    sizes.push_back(share.replicas);
  }
  int64_t added = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    int64_t left = to_add - added;
    if (shares[i].replicas == 0 || left == 0) continue;
    int64_t growth = growth_of(deployment, shares[i]);
    growth = to_add > 0 ? std::min(growth, left) : std::max(growth, left);
    sizes[i] += growth;
    added += growth;
  }
  if (!sizes.empty()) sizes[0] = std::max<int64_t>(0, sizes[0] + to_add - added);
  return sizes;
}

}  // namespace stead::controllers::deployment
