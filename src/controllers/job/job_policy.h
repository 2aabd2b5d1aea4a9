#pragma once

// What a Job needs next (Kubernetes v1.35 semantics). Pure: the same observation and time give the same decision.
//
//   running ──enough succeeded / success policy──▶ SuccessCriteriaMet ──pods gone, all counted──▶ Complete
//      │  └──limits, deadline, failure policy────▶ FailureTarget ───────pods gone, all counted──▶ Failed ──TTL──▶
//      deleted └──suspend──▶ Suspended (no pods) ──resume──▶ running, with a new start time

#include <optional>
#include <vector>

#include "client/plan.h"
#include "controllers/job/pod_backoff.h"
#include "controllers/job/pod_tally.h"

namespace stead::controllers::job {

struct Observed {
  ObjectPtr job;
  // Every pod that the Job controls, and every one of its namespace that nobody controls.
  std::vector<ObjectPtr> pods;
  Backoff backoff;
  // Whether pods that were asked for may be missing from `pods`.
  bool outstanding = false;
};

struct Decision {
  // Adoptions and releases, to make before anything else; the rest is empty then.
  std::vector<client::Plan> ownership;
  // Written before the pods below are touched.
  std::optional<client::Request> status;
  std::vector<client::Event> events;  // once status is written
  std::vector<ObjectPtr> accounted;   // lose their finalizer
  std::vector<ObjectPtr> removals;    // lose their finalizer and are deleted: their end does not count
  std::vector<ObjectPtr> deletions;   // are deleted: their end counts as a failure
  std::vector<Value> creations;
  bool expired = false;  // the Job itself is to be deleted
  std::optional<Duration> look_again;
};

// Whether some other controller looks after the Job (KEP-4368).
bool is_managed_elsewhere(const Object& job);
bool is_finished_job(const Object& job);

Decision decide(const Observed& observed, WallTime now);

}  // namespace stead::controllers::job
