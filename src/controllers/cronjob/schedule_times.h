#pragma once

// Which start of a CronJob is due. Pure.

#include <optional>

#include "kinds/semantics/cron_schedule.h"

namespace stead::controllers::cronjob {

struct Due {
  std::optional<WallTime> time;  // the latest start that is not in the future; nullopt if there was none
  bool too_many_missed = false;  // more than a hundred since the last one
};

// `last` is when a job was last scheduled, or the CronJob's creation; starts before `not_before` are not looked at.
Due find_due(const kinds::CronSchedule& schedule, const kinds::TimeZone& zone, WallTime last,
             std::optional<WallTime> not_before, WallTime now);

}  // namespace stead::controllers::cronjob
