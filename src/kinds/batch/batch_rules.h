#pragma once

// Rules of batch: Job, CronJob.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules job_rules();
KindRules cron_job_rules();

void set_job_defaults(Value& job);
// batch/v1 and batch/v1beta1.
void set_cron_job_defaults(Value& cron_job);

}  // namespace stead::kinds
