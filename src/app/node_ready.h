#pragma once

#include "base/clock.h"
#include "object/object.h"

namespace stead::app {

// Whether the Node says that it is Ready, by a heartbeat of `since` or later: what an earlier life of the node part has
// left in the store does not count. Pure.
bool is_ready_since(const object::Object& node, WallTime since);

}  // namespace stead::app
