#pragma once

// The status of a StatefulSet, counted from its pods. Pure.

#include <optional>
#include <vector>

#include "base/clock.h"
#include "client/transport.h"
#include "controllers/statefulset/revision_history.h"

namespace stead::controllers::statefulset {

// The write of status that the set lacks; nullopt when it says all this already.
std::optional<client::Request> status_update(const Object& set, const std::vector<ObjectPtr>& pods,
                                             const History& history, int64_t min_ready_seconds, WallTime now);

}  // namespace stead::controllers::statefulset
