#pragma once

// The status of a ReplicaSet, counted from its pods. Pure.

#include <optional>

#include "controllers/replicaset/replicaset_policy.h"

namespace stead::controllers::replicaset {

// The write of status that the set lacks; nullopt when it says all this already. `failure` is why the last attempt to
// make or end pods did not work.
std::optional<client::Request> status_update(const Object& set, const Members& members,
                                             const std::optional<Error>& failure, WallTime now);

// How long until the next ready pod becomes available by time alone.
std::optional<Duration> next_availability(const Object& set, const Members& members, WallTime now);

}  // namespace stead::controllers::replicaset
