#include "controllers/job/job_policy.h"

#include <algorithm>

#include "controllers/job/job_conditions.h"
#include "controllers/job/job_scale.h"
#include "controllers/owner_references.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/selector.h"
#include "object/time.h"

namespace stead::controllers::job {
namespace {

constexpr std::string_view kOwnController = "kubernetes.io/job-controller";

void look_again_in(Decision& decision, Duration delay) {
  delay = std::max<Duration>(delay, std::chrono::milliseconds(1));
  decision.look_again = std::min(delay, decision.look_again.value_or(delay));
}

client::Plan single(client::Request request) {
  client::Plan plan;
  plan.steps.push_back({.request = std::move(request), .tolerated = {Reason::kNotFound}});
  return plan;
}

// The Job's own pods; notes adoptions and releases.
std::vector<ObjectPtr> find_members(const Observed& observed, std::vector<client::Plan>& ownership) {
  const Object& job = *observed.job;
  auto selector = object::LabelSelector::from_document(job.spec().at("selector"));
  std::vector<ObjectPtr> members;
  for (const ObjectPtr& pod : observed.pods) {
    bool fits = selector.ok() && selector->matches(pod->metadata().at("labels"));
    if (controlled_by(*pod, job)) {
      if (fits || is_finished(*pod) || job.deleting()) {
        members.push_back(pod);
      } else {
        Value document = without_owner(*pod, job.uid());
        auto& finalizers = document["metadata"]["finalizers"].mutable_items();
        std::erase_if(finalizers, [](const Value& item) { return item.as_string() == kTrackingFinalizer; });
        if (finalizers.empty()) document["metadata"].erase("finalizers");
        ownership.push_back(single(update_request(kPods, std::move(document))));
      }
    } else if (controller_of(*pod) == nullptr && fits && is_active(*pod) && !job.deleting() && !is_finished_job(job)) {
      Value document = with_owner(*pod, controller_reference(job));
      if (!is_tracked(*pod)) document["metadata"]["finalizers"].append(kTrackingFinalizer);
      ownership.push_back(single(update_request(kPods, std::move(document))));
    }
  }
  return members;
}

// A finished Job only lets its last pods go, and itself when its time is over (KEP-592).
Decision decide_finished(const Object& job, const std::vector<ObjectPtr>& pods, WallTime now) {
  Decision decision;
  for (const ObjectPtr& pod : pods) {
    if (is_tracked(*pod) && (is_finished(*pod) || pod->deleting())) decision.accounted.push_back(pod);
  }
  const Value* ttl = job.spec().find("ttlSecondsAfterFinished");
  auto finished = finished_at(job);
  if (ttl == nullptr || !finished || job.deleting()) return decision;
  Duration left = *finished + std::chrono::seconds(ttl->as_int()) - now;
  decision.expired = left <= Duration::zero();
  if (!decision.expired) look_again_in(decision, left);
  return decision;
}

// Returns the verdict of this observation, or of an earlier one that status holds.
std::optional<Verdict> judge(const Object& job, const Tally& tally, WallTime now, Decision& decision) {
  if (auto earlier = verdict_of_status(job)) return earlier;
  if (auto failed = judge_failures(job, tally)) return failed;
  const Value* deadline = job.spec().find("activeDeadlineSeconds");
  auto start = object::parse_time(job.status().at("startTime").as_string());
  if (deadline != nullptr && start && !is_suspended(job)) {
    Duration left = *start + std::chrono::seconds(deadline->as_int()) - now;
    if (left <= Duration::zero()) {
      return Verdict{false, "DeadlineExceeded", "Job was active longer than specified deadline"};
    }
    look_again_in(decision, left);
  }
  if (auto failed = judge_indexes(job, tally)) return failed;
  return judge_success(job, tally);
}

}  // namespace

bool is_managed_elsewhere(const Object& job) {
  const Value* name = job.spec().find("managedBy");
  return name != nullptr && name->as_string() != kOwnController;
}

bool is_finished_job(const Object& job) {
  return has_true_condition(job, "Complete") || has_true_condition(job, "Failed");
}

Decision decide(const Observed& observed, WallTime now) {
  const Object& job = *observed.job;
  Decision decision;
  std::vector<ObjectPtr> pods = find_members(observed, decision.ownership);
  if (!decision.ownership.empty()) return decision;
  if (is_finished_job(job)) return decide_finished(job, pods, now);
  Tally tally = tally_pods(job, pods);
  std::optional<Verdict> verdict = judge(job, tally, now, decision);
  if (verdict) {
    // No successors will come.
    tally.accounted.insert(tally.accounted.end(), tally.predecessors.begin(), tally.predecessors.end());
    if (!observed.outstanding) decision.deletions = tally.active;
  } else if (!observed.outstanding && !job.deleting()) {
    scale_pods(job, tally, pods, observed.backoff, now, decision);
  }
  bool ended = verdict && !observed.outstanding && tally.active.empty() && tally.terminating == 0 &&
               tally.uncounted_succeeded.empty() && tally.uncounted_failed.empty() && tally.accounted.empty();
  StatusChange change = next_status(job, tally, verdict, ended, now);
  decision.accounted = tally.accounted;
  for (client::Event& event : change.events) {
    event.about = observed.job;
    decision.events.push_back(std::move(event));
  }
  if (!(change.status == job.status())) {
    Value document = job.document();
    document.set("status", std::move(change.status));
    decision.status = update_request(kJobs, std::move(document), "status");
  }
  return decision;
}

}  // namespace stead::controllers::job
