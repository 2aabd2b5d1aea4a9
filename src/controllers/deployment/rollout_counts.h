#pragma once

// The numbers of a rolling update: how many pods may be missing, how many too many. Pure.

#include <cstdint>
#include <vector>

#include "object/object.h"

namespace stead::controllers::deployment {

using object::Object;
using object::Value;

// An IntOrString of `total`: a percentage is rounded up or down.
int64_t scaled_count(const Value& value, int64_t total, bool round_up);

struct Bounds {
  int64_t surge = 0;
  int64_t unavailable = 0;
};
// spec.strategy of a deployment; both 0 for Recreate. Surge rounds up, unavailability down; at least one of them is
// positive, or nothing could ever move.
Bounds bounds_of(const Object& deployment);
int64_t wanted_replicas(const Object& deployment);
bool rolls(const Object& deployment);

// How many pods the new replica set may have, when all sets together want `total` and itself `current`.
int64_t new_set_size(const Object& deployment, int64_t total, int64_t current);

// One replica set when a deployment is scaled in the middle of a roll-out.
struct Share {
  int64_t replicas = 0;
  // The deployment's largest size when the set was scaled last; 0 where unknown.
  int64_t max_before = 0;
};
// The new sizes of `shares` (largest first), so that together they come to wanted_replicas() and the surge: each gets
// its proportion, rounded; what rounding leaves goes to the first.
std::vector<int64_t> proportional_sizes(const Object& deployment, const std::vector<Share>& shares);

}  // namespace stead::controllers::deployment
