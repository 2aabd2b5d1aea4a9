#include "controllers/job/job_scale.h"

#include <algorithm>
#include <set>

#include "controllers/job/job_conditions.h"
#include "controllers/pod_batch.h"
#include "controllers/replicaset/scale_down_order.h"

namespace stead::controllers::job {
namespace {

int64_t wanted_pods(const Object& job, const Tally& tally) {
  if (is_suspended(job)) return 0;
  int64_t parallelism = std::max<int64_t>(0, job.spec().at("parallelism").as_int(1));
  const Value* completions = job.spec().find("completions");
  auto active = static_cast<int64_t>(tally.active.size());
  // A work queue: after the first success nobody new starts.
  if (completions == nullptr) return tally.succeeded > 0 ? std::min(active, parallelism) : parallelism;
  int64_t left = completions->as_int() - tally.succeeded - tally.failed_indexes.size();
  return std::clamp<int64_t>(left, 0, parallelism);
}

// Active pods whose index is taken or not wanted any more, put in front of `pods`; returns how many.
size_t superfluous_first(const Object& job, std::vector<ObjectPtr>& pods) {
  if (!is_indexed(job)) return 0;
  int64_t completions = job.spec().at("completions").as_int();
  std::set<int64_t> taken;
  // The last to go by the usual order keep their index.
  std::vector<ObjectPtr> first;
  std::vector<ObjectPtr> rest;
  for (auto pod = pods.rbegin(); pod != pods.rend(); ++pod) {
    auto index = index_of(**pod);
    bool wanted = index && *index < completions && taken.insert(*index).second;
    (wanted ? rest : first).push_back(*pod);
  }
  size_t count = first.size();
  pods = std::move(first);
  pods.insert(pods.end(), rest.rbegin(), rest.rend());
  return count;
}

void look_again_in(Decision& decision, Duration delay) {
  delay = std::max<Duration>(delay, std::chrono::milliseconds(1));
  decision.look_again = std::min(delay, decision.look_again.value_or(delay));
}

void create_indexed(const Object& job, const Tally& tally, const std::vector<ObjectPtr>& pods, int64_t count,
                    WallTime now, Decision& decision) {
  std::set<int64_t> taken;
  for (const ObjectPtr& pod : pods) {
    bool holds = is_active(*pod) || (replaces_only_failed(job) && is_terminating(*pod));
    if (auto index = index_of(*pod); index && holds) taken.insert(*index);
  }
  int64_t completions = job.spec().at("completions").as_int();
  bool per_index = has_limit_per_index(job);
  for (int64_t index = 0; index < completions && count > 0; ++index) {
    if (taken.contains(index) || tally.completed.contains(index) || tally.failed_indexes.contains(index)) continue;
    std::optional<IndexFailures> failures;
    if (per_index) {
      failures = IndexFailures{};
      if (auto last = tally.last_failed.find(index); last != tally.last_failed.end()) {
        failures = failures_after(job, *last->second);
        Duration left = remaining_for_index(*last->second, failures->counted + failures->ignored, now);
        if (left > Duration::zero()) {
          look_again_in(decision, left);
          continue;
        }
      }
    }
    decision.creations.push_back(make_indexed_pod(job, index, failures));
    --count;
  }
}

}  // namespace

void scale_pods(const Object& job, const Tally& tally, const std::vector<ObjectPtr>& pods, const Backoff& backoff,
                WallTime now, Decision& decision) {
  auto active = static_cast<int64_t>(tally.active.size());
  int64_t wanted = wanted_pods(job, tally);
  std::vector<ObjectPtr> candidates = tally.active;
  replicaset::sort_for_scale_down(candidates, {}, now);
  size_t superfluous = superfluous_first(job, candidates);
  size_t removed = std::max(superfluous, static_cast<size_t>(std::max<int64_t>(0, active - wanted)));
  if (removed > 0) {
    candidates.resize(std::min({removed, candidates.size(), kPodBatchMax}));
    decision.removals = std::move(candidates);
    return;
  }
  int64_t missing = wanted - active - (replaces_only_failed(job) ? tally.terminating : 0);
  if (missing <= 0) return;
  missing = std::min<int64_t>(missing, kPodBatchMax);
  if (is_indexed(job) && has_limit_per_index(job)) return create_indexed(job, tally, pods, missing, now, decision);
  if (Duration left = remaining(backoff, now); left > Duration::zero()) return look_again_in(decision, left);
  if (is_indexed(job)) return create_indexed(job, tally, pods, missing, now, decision);
  for (int64_t i = 0; i < missing; ++i) decision.creations.push_back(make_pod(job));
}

}  // namespace stead::controllers::job
