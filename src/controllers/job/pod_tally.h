#pragma once

// The pods of a Job, counted (KEP-2307). A pod that has finished is counted once, whatever crashes or is deleted:
//
//   finished, tracked ──status lists its UID as uncounted──▶ tracking finalizer removed ──▶ status counts it
//
// Successes of Indexed Jobs are counted by their index instead, which needs no UID. Pure.

#include <map>
#include <vector>

#include "controllers/job/failure_policy.h"
#include "controllers/job/job_pods.h"
#include "kinds/semantics/index_ranges.h"

namespace stead::controllers::job {

// The finished pods that one status write takes on at most.
inline constexpr size_t kUncountedMax = 500;

struct Tally {
  std::vector<ObjectPtr> active;
  int64_t ready = 0;
  int64_t terminating = 0;

  // As status should say them.
  int64_t counted_succeeded = 0;
  int64_t counted_failed = 0;
  std::vector<std::string> uncounted_succeeded;
  std::vector<std::string> uncounted_failed;
  kinds::IndexRanges completed;
  kinds::IndexRanges failed_indexes;

  // Including those not counted yet.
  int64_t succeeded = 0;
  int64_t failed = 0;
  // The message of the first pod that fails the whole Job by its failure policy.
  std::optional<std::string> fail_job;

  // Their finalizers go once status says all this.
  std::vector<ObjectPtr> accounted;
  // Accounted for too, but kept until their successors carry on their counts (only with a limit per index).
  std::vector<ObjectPtr> predecessors;
  // By index: the failed pod whose counts its successor inherits (only with a limit per index).
  std::map<int64_t, ObjectPtr> last_failed;
};

// `pods` are all that the Job controls.
Tally tally_pods(const Object& job, const std::vector<ObjectPtr>& pods);

// The counts that the successor of a failed pod of an index starts with.
IndexFailures failures_after(const Object& job, const Object& failed);

}  // namespace stead::controllers::job
