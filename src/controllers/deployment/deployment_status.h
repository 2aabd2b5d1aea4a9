#pragma once

// The status of a deployment: counts of its replica sets, and the conditions Available, Progressing and ReplicaFailure
// with upstream's reasons. Pure.

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/transport.h"
#include "kinds/meta/conditions.h"
#include "object/object.h"

namespace stead::controllers::deployment {

using client::ObjectPtr;
using object::Object;
using object::Value;

inline constexpr std::string_view kProgressing = "Progressing";

// spec.progressDeadlineSeconds; nullopt where there is no deadline.
std::optional<int64_t> progress_deadline(const Object& deployment);

using kinds::find_condition;
// Keeps a condition of the same status and reason as it is, and its transition time while the status stays.
void set_condition(Value& status, std::string_view type, std::string_view value, std::string_view reason,
                   const std::string& message, WallTime now);
void remove_condition(Value& status, std::string_view type);

// Puts counts and the condition Available into `status`. `sets` are all of them, `new_set` may be null.
void count_replicas(const Object& deployment, const std::vector<ObjectPtr>& sets, const ObjectPtr& new_set,
                    Value& status, WallTime now);

// Whether all wanted pods are of the new template and available.
bool is_complete(const Object& deployment, const Value& status);

// The conditions Progressing and ReplicaFailure of a roll-out, after count_replicas().
void judge_progress(const Object& deployment, const std::vector<ObjectPtr>& sets, const ObjectPtr& new_set,
                    Value& status, WallTime now);

// When the deadline would be missed, seen from `now`; nullopt if it does not run.
std::optional<Duration> until_deadline(const Object& deployment, const Value& status, WallTime now);

}  // namespace stead::controllers::deployment
