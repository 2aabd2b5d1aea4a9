#pragma once

// How long a Job waits after failures before it makes further pods: 10 s, doubled by each failure since the last
// success, at most ten minutes, from the end of the last failed pod. Pure.

#include <set>
#include <string>

#include "controllers/job/job_pods.h"

namespace stead::controllers::job {

// What has been seen of one Job's pods. Kept by the controller in memory: after a restart it is made anew of the pods
// that are still there.
struct Backoff {
  int64_t failures = 0;  // since the last success
  WallTime last_failure{};
  std::set<std::string> seen;  // UIDs of finished pods that are counted here
};

// With the finished pods among `pods` that it had not seen; forgets those that are gone.
Backoff observe_finished(const Backoff& before, const Object& job, const std::vector<ObjectPtr>& pods);

// Zero or negative when the wait is over.
Duration remaining(const Backoff& backoff, WallTime now);
// The same for one index, after `failures` of its pods, the last of which is `pod`.
Duration remaining_for_index(const Object& pod, int64_t failures, WallTime now);

}  // namespace stead::controllers::job
