#pragma once

// What a failed pod means for its Job: spec.podFailurePolicy (KEP-3329; FailIndex: KEP-3850). Pure.

#include <string>

#include "controllers/job/job_pods.h"

namespace stead::controllers::job {

enum class FailureAction : uint8_t { kCount, kIgnore, kFailIndex, kFailJob };

struct FailureVerdict {
  FailureAction action = FailureAction::kCount;
  std::string message;  // of kFailJob, for the condition
};

// The first rule that matches; kCount where none does. `pod` has failed.
FailureVerdict judge_failure(const Object& job, const Object& pod);

}  // namespace stead::controllers::job
