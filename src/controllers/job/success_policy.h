#pragma once

// When enough indexes of a Job are done: spec.successPolicy (KEP-3998). Pure.

#include <optional>
#include <string>

#include "controllers/job/job_pods.h"
#include "kinds/semantics/index_ranges.h"

namespace stead::controllers::job {

// The message of the first rule that is met; nullopt if none is.
std::optional<std::string> match_success_policy(const Object& job, const kinds::IndexRanges& completed);

}  // namespace stead::controllers::job
