#include "controllers/cronjob/schedule_times.h"

#include <algorithm>

namespace stead::controllers::cronjob {
namespace {

constexpr int kMissedMax = 100;

}  // namespace

Due find_due(const kinds::CronSchedule& schedule, const kinds::TimeZone& zone, WallTime last,
             std::optional<WallTime> not_before, WallTime now) {
  WallTime earliest = not_before ? std::max(last, *not_before) : last;
  Due due;
  int missed = 0;
  WallTime from = earliest;
  // Halving the distance to now skips what nobody will ask for: a start per minute over months would be many steps.
  while (true) {
    auto next = schedule.next(from, zone);
    if (!next || *next > now) return due;
    due.time = next;
    due.too_many_missed = ++missed > kMissedMax;
    from = *next;
    WallTime middle = from + (now - from) / 2;
    if (missed <= kMissedMax) continue;
    auto later = schedule.next(middle, zone);
    if (later && *later <= now && *later > from) from = middle;
  }
}

}  // namespace stead::controllers::cronjob
