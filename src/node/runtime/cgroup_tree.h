#pragma once

// The control groups below one parent, in every hierarchy (cgroup v1, hybrid and v2 alike). Blocking, any thread.

#include <string>

#include "base/result.h"

namespace stead::node {

// Kills every process in and below control group `parent` ("/stead-0011aabb").
void kill_cgroup(const std::string& parent);

// Removes it and all below. Idempotent; fails where processes are left.
Result<void> remove_cgroup(const std::string& parent);

}  // namespace stead::node
