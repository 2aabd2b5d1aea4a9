#pragma once

// How a Job stands: the verdicts that end it, and the status that says so. Pure.

#include <optional>
#include <string>
#include <vector>

#include "client/event_recorder.h"
#include "controllers/job/pod_tally.h"

namespace stead::controllers::job {

// Why a Job is to end, before all its pods have.
struct Verdict {
  bool success = false;
  std::string reason;
  std::string message;
};

bool has_true_condition(const Object& job, std::string_view type);
bool is_suspended(const Object& job);
// When it became Complete or Failed.
std::optional<WallTime> finished_at(const Object& job);

// What FailureTarget or SuccessCriteriaMet says.
std::optional<Verdict> verdict_of_status(const Object& job);
// By the failure policy or the limit of failures.
std::optional<Verdict> judge_failures(const Object& job, const Tally& tally);
// By indexes that failed.
std::optional<Verdict> judge_indexes(const Object& job, const Tally& tally);
std::optional<Verdict> judge_success(const Object& job, const Tally& tally);

struct StatusChange {
  Value status;
  std::vector<client::Event> events;  // `about` is left to the caller
};
// `ended`: the verdict holds, and nothing of the Job is left.
StatusChange next_status(const Object& job, const Tally& tally, const std::optional<Verdict>& verdict, bool ended,
                         WallTime now);

}  // namespace stead::controllers::job
