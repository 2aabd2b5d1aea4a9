#pragma once

// How many pods a Job should have now, and which indexes. Pure.

#include "controllers/job/job_policy.h"

namespace stead::controllers::job {

// Adds creations, removals and the time to look again to `decision`.
void scale_pods(const Object& job, const Tally& tally, const std::vector<ObjectPtr>& pods, const Backoff& backoff,
                WallTime now, Decision& decision);

}  // namespace stead::controllers::job
