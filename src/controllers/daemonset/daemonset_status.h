#pragma once

// The status of a DaemonSet, counted from nodes and pods. Pure.

#include <optional>

#include "controllers/daemonset/daemonset_policy.h"

namespace stead::controllers::daemonset {

// The write of status that the set lacks; nullopt when it says all this already.
std::optional<client::Request> status_update(const Observed& observed, const Members& members, std::string_view hash,
                                             int64_t collision_count, WallTime now);
// How long until the next ready pod becomes available by time alone.
std::optional<Duration> next_availability(const Object& set, const Members& members, WallTime now);

}  // namespace stead::controllers::daemonset
