#pragma once

// What a pod's status says, in the words that workload controllers use. Pure.

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "object/object.h"

namespace stead::controllers {

using object::Object;
using object::Value;

// The entry of status.conditions of that type; nullptr where there is none.
const Value* find_condition(const Object& object, std::string_view type);

std::string_view phase_of(const Object& pod);
// Succeeded or Failed: no container runs or will run.
bool is_finished(const Object& pod);
bool is_ready(const Object& pod);
bool is_running_and_ready(const Object& pod);
// When a ready pod has been ready for `min_ready_seconds`; nullopt if it is not ready.
std::optional<WallTime> available_from(const Object& pod, int64_t min_ready_seconds);
bool is_available(const Object& pod, int64_t min_ready_seconds, WallTime now);

}  // namespace stead::controllers
