#include "controllers/job/job_conditions.h"

#include <algorithm>

#include "controllers/job/success_policy.h"
#include "controllers/pod_state.h"
#include "object/time.h"

namespace stead::controllers::job {
namespace {

// Restarts of containers that the job's pods still run, which count as failures under OnFailure.
int64_t restarts_of(const std::vector<ObjectPtr>& pods) {
  int64_t restarts = 0;
  for (const ObjectPtr& pod : pods) {
    std::string_view phase = phase_of(*pod);
    if (phase != "Running" && phase != "Pending") continue;
    for (std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
      for (const Value& status : pod->status().at(list).items()) restarts += status.at("restartCount").as_int();
    }
  }
  return restarts;
}

Value texts(const std::vector<std::string>& list) {
  Value array = Value::array();
  for (const std::string& text : list) array.append(text);
  return array;
}

// Zero is written as absence.
void set_count(Value& status, std::string_view name, int64_t count) {
  if (count == 0) {
    status.erase(name);
  } else {
    status.set(name, count);
  }
}

void set_condition(Value& status, std::string_view type, bool holds, std::string_view reason, std::string_view message,
                   WallTime now) {
  std::string time = object::format_time(now);
  Value condition = Value::object({{"type", type},
                                   {"status", holds ? "True" : "False"},
                                   {"lastProbeTime", time},
                                   {"lastTransitionTime", time},
                                   {"reason", reason},
                                   {"message", message}});
  std::vector<Value>& conditions = status["conditions"].mutable_items();
  for (Value& known : conditions) {
    if (known.at("type").as_string() != type) continue;
    if (known.at("status").as_string() != condition.at("status").as_string()) known = std::move(condition);
    return;
  }
  conditions.push_back(std::move(condition));
}

void set_counts(Value& status, const Object& job, const Tally& tally) {
  set_count(status, "active", static_cast<int64_t>(tally.active.size()));
  set_count(status, "succeeded", tally.counted_succeeded);
  set_count(status, "failed", tally.counted_failed);
  status.set("ready", tally.ready);
  status.set("terminating", tally.terminating);
  Value uncounted = Value::object();
  if (!tally.uncounted_succeeded.empty()) uncounted.set("succeeded", texts(tally.uncounted_succeeded));
  if (!tally.uncounted_failed.empty()) uncounted.set("failed", texts(tally.uncounted_failed));
  status.set("uncountedTerminatedPods", std::move(uncounted));
  if (is_indexed(job)) {
    std::string completed = tally.completed.str();
    if (completed.empty()) {
      status.erase("completedIndexes");
    } else {
      status.set("completedIndexes", completed);
    }
  }
  if (has_limit_per_index(job)) status.set("failedIndexes", tally.failed_indexes.str());
}

void set_suspended(StatusChange& change, const Object& job, WallTime now) {
  bool was = has_true_condition(job, "Suspended");
  bool is = is_suspended(job);
  if (is && !was) {
    set_condition(change.status, "Suspended", true, "JobSuspended", "Job suspended", now);
    change.events.push_back({nullptr, "Normal", "Suspended", "Job suspended", ""});
  } else if (!is && was) {
    set_condition(change.status, "Suspended", false, "JobResumed", "Job resumed", now);
    change.events.push_back({nullptr, "Normal", "Resumed", "Job resumed", ""});
    // The deadline counts from when it may run again.
    change.status.set("startTime", object::format_time(now));
  }
}

void set_finished(StatusChange& change, const Verdict& verdict, WallTime now) {
  if (verdict.success) {
    set_condition(change.status, "Complete", true, verdict.reason, verdict.message, now);
    change.status.set("completionTime", object::format_time(now));
    change.events.push_back({nullptr, "Normal", "Completed", "Job completed", ""});
  } else {
    set_condition(change.status, "Failed", true, verdict.reason, verdict.message, now);
    change.events.push_back({nullptr, "Warning", verdict.reason, verdict.message, ""});
  }
}

}  // namespace

bool has_true_condition(const Object& job, std::string_view type) {
  const Value* condition = find_condition(job, type);
  return condition != nullptr && condition->at("status").as_string() == "True";
}

bool is_suspended(const Object& job) { return job.spec().at("suspend").as_bool(); }

std::optional<WallTime> finished_at(const Object& job) {
  for (std::string_view type : {"Complete", "Failed"}) {
    if (!has_true_condition(job, type)) continue;
    return object::parse_time(find_condition(job, type)->at("lastTransitionTime").as_string());
  }
  return std::nullopt;
}

std::optional<Verdict> verdict_of_status(const Object& job) {
  for (std::string_view type : {"FailureTarget", "SuccessCriteriaMet"}) {
    if (!has_true_condition(job, type)) continue;
    const Value* condition = find_condition(job, type);
    return Verdict{type == "SuccessCriteriaMet", std::string(condition->at("reason").as_string()),
                   std::string(condition->at("message").as_string())};
  }
  return std::nullopt;
}

std::optional<Verdict> judge_failures(const Object& job, const Tally& tally) {
  if (tally.fail_job) return Verdict{false, "PodFailurePolicy", *tally.fail_job};
  int64_t limit = job.spec().at("backoffLimit").as_int();
  bool over = tally.failed > limit;
  if (job.spec().at({"template", "spec", "restartPolicy"}).as_string() == "OnFailure") {
    int64_t restarts = restarts_of(tally.active);
    over = over || (limit == 0 ? restarts > 0 : restarts >= limit);
  }
  if (over) return Verdict{false, "BackoffLimitExceeded", "Job has reached the specified backoff limit"};
  return std::nullopt;
}

std::optional<Verdict> judge_indexes(const Object& job, const Tally& tally) {
  if (!has_limit_per_index(job)) return std::nullopt;
  int64_t failed = tally.failed_indexes.size();
  const Value* limit = job.spec().find("maxFailedIndexes");
  if (limit != nullptr && failed > limit->as_int()) {
    return Verdict{false, "MaxFailedIndexesExceeded",
                   "Job has exceeded the specified maximal number of failed indexes"};
  }
  if (failed > 0 && failed + tally.succeeded >= job.spec().at("completions").as_int()) {
    return Verdict{false, "FailedIndexes", "Job has failed indexes"};
  }
  return std::nullopt;
}

std::optional<Verdict> judge_success(const Object& job, const Tally& tally) {
  if (auto message = match_success_policy(job, tally.completed)) return Verdict{true, "SuccessPolicy", *message};
  const Value* completions = job.spec().find("completions");
  bool enough = completions == nullptr ? tally.succeeded > 0 && tally.active.empty() && tally.terminating == 0
                                       : tally.succeeded >= completions->as_int();
  if (!enough) return std::nullopt;
  return Verdict{true, "CompletionsReached", "Reached expected number of succeeded pods"};
}

StatusChange next_status(const Object& job, const Tally& tally, const std::optional<Verdict>& verdict, bool ended,
                         WallTime now) {
  StatusChange change;
  change.status = job.status().is_null() ? Value::object() : job.status();
  if (!is_suspended(job) && change.status.find("startTime") == nullptr) {
    change.status.set("startTime", object::format_time(now));
  }
  set_counts(change.status, job, tally);
  if (verdict) {
    set_condition(change.status, verdict->success ? "SuccessCriteriaMet" : "FailureTarget", true, verdict->reason,
                  verdict->message, now);
    if (ended) set_finished(change, *verdict, now);
  } else {
    set_suspended(change, job, now);
  }
  return change;
}

}  // namespace stead::controllers::job
