#include "controllers/job/pod_backoff.h"

#include <algorithm>

namespace stead::controllers::job {
namespace {

constexpr Duration kFirst = std::chrono::seconds(10);
constexpr Duration kLongest = std::chrono::minutes(10);

Duration delay_after(int64_t failures) {
  if (failures <= 0) return Duration::zero();
  // Seven doublings are beyond the longest.
  return std::min(kLongest, kFirst * (int64_t{1} << std::min<int64_t>(failures - 1, 7)));
}

}  // namespace

Backoff observe_finished(const Backoff& before, const Object& job, const std::vector<ObjectPtr>& pods) {
  Backoff backoff;
  backoff.failures = before.failures;
  backoff.last_failure = before.last_failure;
  std::vector<std::pair<WallTime, const Object*>> fresh;
  for (const ObjectPtr& pod : pods) {
    if (!has_succeeded(*pod) && !has_failed(*pod, job)) continue;
    // Let go by the job itself, when it was scaled down or suspended.
    if (is_terminating(*pod) && !is_tracked(*pod)) continue;
    backoff.seen.emplace(pod->uid());
    if (!before.seen.contains(std::string(pod->uid()))) fresh.emplace_back(finish_time(*pod), pod.get());
  }
  std::sort(fresh.begin(), fresh.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [time, pod] : fresh) {
    if (has_succeeded(*pod)) {
      backoff.failures = 0;
    } else {
      ++backoff.failures;
      backoff.last_failure = std::max(backoff.last_failure, time);
    }
  }
  return backoff;
}

Duration remaining(const Backoff& backoff, WallTime now) {
  if (backoff.failures == 0) return Duration::zero();
  return delay_after(backoff.failures) - (now - backoff.last_failure);
}

Duration remaining_for_index(const Object& pod, int64_t failures, WallTime now) {
  return delay_after(failures) - (now - finish_time(pod));
}

}  // namespace stead::controllers::job
