#pragma once

// What a CronJob needs next (Kubernetes v1.35 semantics). Pure: the same observation and time give the same decision.

#include <optional>
#include <string>
#include <vector>

#include "client/plan.h"

namespace stead::controllers::cronjob {

using client::ObjectPtr;
using object::Object;
using object::Value;

struct Observed {
  ObjectPtr cron_job;
  std::vector<ObjectPtr> jobs;  // that it controls
};

struct Decision {
  std::vector<client::Plan::Step> deletions;  // of old Jobs, and of those that a new one replaces
  std::vector<client::Event> events;
  std::optional<Value> creation;       // a Job
  std::string scheduled;               // the start that `creation` is for, as status will say
  Value status;                        // without the new Job
  std::optional<Duration> look_again;  // until the next start
};

Decision decide(const Observed& observed, WallTime now);

// `status` with the new Job in it, scheduled at that time.
Value status_with(Value status, const Object& job, const std::string& scheduled);

}  // namespace stead::controllers::cronjob
