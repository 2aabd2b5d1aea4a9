#pragma once

// Schedules of CronJobs: five fields (minute, hour, day of month, month, day of week), the macros @yearly, @annually,
// @monthly, @weekly, @daily, @midnight and @hourly, and "@every 90s". Fields take lists, ranges, steps, names of months
// and days, "*" and "?". Where both days are restricted, either suffices; a stepped star counts as restricted. Pure.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kinds/semantics/time_zone.h"

namespace stead::kinds {

class CronSchedule {
 public:
  // kInvalid with a sentence that says what is wrong.
  static Result<CronSchedule> parse(std::string_view text);

  // The first moment after `time` that fits, as shown by clocks in `zone`; nullopt if none does within five years.
  // A local time that a change of offset skips is not made up for; one that it repeats fits twice.
  std::optional<WallTime> next(WallTime time, const TimeZone& zone) const;

 private:
  bool day_fits(const LocalTime& local) const;

  // One bit for each value that fits.
  uint64_t minutes_ = 0;
  uint64_t hours_ = 0;
  uint64_t days_ = 0;
  uint64_t months_ = 0;
  uint64_t week_days_ = 0;
  bool any_day_ = false;
  bool any_week_day_ = false;
  Duration every_{};  // positive for "@every"; nothing else counts then
};

}  // namespace stead::kinds
