#include "controllers/job/pod_tally.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "controllers/pod_state.h"

namespace stead::controllers::job {
namespace {

struct Counting {
  const Object& job;
  bool indexed;
  bool per_index;
  int64_t completions;
  Tally tally;

  explicit Counting(const Object& the_job)
      : job(the_job),
        indexed(is_indexed(the_job)),
        per_index(has_limit_per_index(the_job)),
        completions(the_job.spec().at("completions").as_int(std::numeric_limits<int64_t>::max())) {}

  // What status says already. UIDs whose pods are no longer tracked have been let go: they count for good now.
  void read_status(const std::set<std::string>& tracked) {
    const Value& status = job.status();
    tally.counted_succeeded = status.at("succeeded").as_int();
    tally.counted_failed = status.at("failed").as_int();
    take(status.at({"uncountedTerminatedPods", "succeeded"}), tracked, tally.uncounted_succeeded,
         tally.counted_succeeded);
    take(status.at({"uncountedTerminatedPods", "failed"}), tracked, tally.uncounted_failed, tally.counted_failed);
    tally.completed = kinds::IndexRanges::read(status.at("completedIndexes").as_string(), completions);
    tally.failed_indexes = kinds::IndexRanges::read(status.at("failedIndexes").as_string(), completions);
  }

  static void take(const Value& uids, const std::set<std::string>& tracked, std::vector<std::string>& left,
                   int64_t& count) {
    for (const Value& uid : uids.items()) {
      if (tracked.contains(std::string(uid.as_string()))) {
        left.emplace_back(uid.as_string());
      } else {
        ++count;
      }
    }
  }

  // Whether the pod's number is one that the Job still has.
  bool is_wanted_index(const Object& pod) const {
    if (!indexed) return true;
    auto index = index_of(pod);
    return index && *index < completions;
  }

  // Returns whether the UID is on the list now.
  bool note(std::vector<std::string>& uids, const Object& pod) {
    if (std::find(uids.begin(), uids.end(), pod.uid()) != uids.end()) return true;
    if (tally.uncounted_succeeded.size() + tally.uncounted_failed.size() >= kUncountedMax) return false;
    uids.emplace_back(pod.uid());
    return true;
  }

  void add_succeeded(const ObjectPtr& pod) {
    const bool wanted = is_wanted_index(*pod);
    if (wanted && indexed) tally.completed.add(*index_of(*pod));
    if (!wanted || indexed || note(tally.uncounted_succeeded, *pod)) tally.accounted.push_back(pod);
  }

  void add_failed(const ObjectPtr& pod) {
    if (!is_wanted_index(*pod)) return tally.accounted.push_back(pod);
    FailureVerdict verdict = judge_failure(job, *pod);
    if (verdict.action == FailureAction::kFailJob && !tally.fail_job) tally.fail_job = verdict.message;
    if (verdict.action != FailureAction::kIgnore && !note(tally.uncounted_failed, *pod)) return;
    if (per_index) fail_index(pod, verdict.action);
    tally.accounted.push_back(pod);
  }

  void fail_index(const ObjectPtr& pod, FailureAction action) {
    int64_t index = *index_of(*pod);
    int64_t limit = job.spec().at("backoffLimitPerIndex").as_int();
    bool over = action != FailureAction::kIgnore && count_of(*pod, kFailureCountAnnotation) >= limit;
    if (over || action == FailureAction::kFailIndex) tally.failed_indexes.add(index);
    ObjectPtr& last = tally.last_failed[index];
    auto rank = [](const Object& one) {
      return count_of(one, kFailureCountAnnotation) + count_of(one, kIgnoredCountAnnotation);
    };
    if (!last || rank(*pod) >= rank(*last)) last = pod;
  }

  // A failed pod keeps its finalizer until its successor carries on its counts.
  void keep_predecessors() {
    std::set<int64_t> alive;
    for (const ObjectPtr& pod : tally.active) {
      if (auto index = index_of(*pod)) alive.insert(*index);
    }
    auto needed = [&](const ObjectPtr& pod) {
      auto index = index_of(*pod);
      if (!index || pod->deleting() || job.deleting()) return false;
      auto last = tally.last_failed.find(*index);
      bool is_last = last != tally.last_failed.end() && last->second == pod;
      return is_last && !alive.contains(*index) && !tally.completed.contains(*index) &&
             !tally.failed_indexes.contains(*index);
    };
    auto split = std::stable_partition(tally.accounted.begin(), tally.accounted.end(), std::not_fn(needed));
    tally.predecessors.assign(split, tally.accounted.end());
    tally.accounted.erase(split, tally.accounted.end());
  }
};

}  // namespace

Tally tally_pods(const Object& job, const std::vector<ObjectPtr>& pods) {
  Counting counting(job);
  Tally& tally = counting.tally;
  std::set<std::string> tracked;
  for (const ObjectPtr& pod : pods) {
    if (is_tracked(*pod)) tracked.emplace(pod->uid());
  }
  counting.read_status(tracked);
  for (const ObjectPtr& pod : pods) {
    if (is_active(*pod)) {
      tally.active.push_back(pod);
      tally.ready += is_ready(*pod);
    }
    tally.terminating += is_terminating(*pod);
    if (!is_tracked(*pod)) continue;
    if (has_succeeded(*pod)) {
      counting.add_succeeded(pod);
    } else if (has_failed(*pod, job)) {
      counting.add_failed(pod);
    } else if (job.deleting() && pod->deleting()) {
      tally.accounted.push_back(pod);
    }
  }
  if (counting.per_index) counting.keep_predecessors();
  if (counting.indexed) tally.counted_succeeded = tally.completed.size();
  tally.succeeded = tally.counted_succeeded + static_cast<int64_t>(tally.uncounted_succeeded.size());
  tally.failed = tally.counted_failed + static_cast<int64_t>(tally.uncounted_failed.size());
  return std::move(counting.tally);
}

IndexFailures failures_after(const Object& job, const Object& failed) {
  IndexFailures failures{count_of(failed, kFailureCountAnnotation), count_of(failed, kIgnoredCountAnnotation)};
  bool ignored = judge_failure(job, failed).action == FailureAction::kIgnore;
  ++(ignored ? failures.ignored : failures.counted);
  return failures;
}

}  // namespace stead::controllers::job
