#pragma once

// Time zones by name, from the zone database of the machine (tzdata). The first use of a name reads a file; what was
// read is kept for ever. Any thread.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace stead::kinds {

// A local time: what a clock on the wall shows.
struct LocalTime {
  int64_t year = 1970;
  int month = 1;     // 1 to 12
  int day = 1;       // 1 to 31
  int hour = 0;      // 0 to 23
  int minute = 0;    // 0 to 59
  int second = 0;    // 0 to 59
  int week_day = 0;  // 0 is Sunday; ignored by at()
};

class TimeZone {
 public:
  // nullopt if nobody knows that name. "" and "UTC" are UTC.
  static std::optional<TimeZone> find(std::string_view name);
  static TimeZone utc();

  LocalTime local(WallTime time) const;
  // The first moment that shows this local time; one that a change of offset skips is moved on by the gap. Fields
  // beyond their range are carried over (the 32nd is the first of the next month).
  WallTime at(const LocalTime& local) const;
  // RFC 3339 with the zone's offset, "Z" for none.
  std::string format(WallTime time) const;

 private:
  struct Data;
  explicit TimeZone(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
  std::shared_ptr<const Data> data_;
};

}  // namespace stead::kinds
