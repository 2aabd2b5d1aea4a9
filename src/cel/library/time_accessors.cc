#include "cel/library/library.h"
#include "cel/times.h"

namespace stead::cel {

namespace {

// A field of a moment, in the time zone that the call may name.
template <class Field>
Value in_zone(const Call& call, Field field) {
  Timestamp at = call[0].as_timestamp();
  int64_t seconds = at.seconds;
  if (call.size() > 1) {
    std::string_view zone = call[1].as_string();
    auto offset = zone_offset(zone, seconds);
    if (!offset) return Value::error("unknown time zone " + std::string(zone));
    seconds += *offset;
  }
  return Value::integer(field(civil_time(seconds)));
}

Value full_year(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.year; });
}
Value month(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.month - 1; });
}
Value day_of_year(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.day_of_year; });
}
Value day_of_month(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.day - 1; });
}
Value date(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.day; });
}
Value day_of_week(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.day_of_week; });
}
Value hours(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.hour; });
}
Value minutes(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.minute; });
}
Value seconds(const Call& call) {
  return in_zone(call, [](const CivilTime& at) { return at.second; });
}
Value milliseconds(const Call& call) {
  return in_zone(call, [&](const CivilTime&) { return call[0].as_timestamp().nanos / 1'000'000; });
}

// Of a duration: all of it in that unit.
Value whole(const Call& call, int64_t unit_nanos) { return Value::integer(call[0].as_duration().nanos / unit_nanos); }
Value duration_hours(const Call& call) { return whole(call, 3600 * kNanosPerSecond); }
Value duration_minutes(const Call& call) { return whole(call, 60 * kNanosPerSecond); }
Value duration_seconds(const Call& call) { return whole(call, kNanosPerSecond); }
Value duration_milliseconds(const Call& call) { return whole(call, 1'000'000); }

#define ACCESSOR(name, function) \
  {name, "timestamp.:int", function}, { name, "timestamp.string:int", function }

constexpr Overload kTimes[] = {
    ACCESSOR("getFullYear", full_year),
    ACCESSOR("getMonth", month),
    ACCESSOR("getDayOfYear", day_of_year),
    ACCESSOR("getDayOfMonth", day_of_month),
    ACCESSOR("getDate", date),
    ACCESSOR("getDayOfWeek", day_of_week),
    ACCESSOR("getHours", hours),
    {"getHours", "duration.:int", duration_hours},
    ACCESSOR("getMinutes", minutes),
    {"getMinutes", "duration.:int", duration_minutes},
    ACCESSOR("getSeconds", seconds),
    {"getSeconds", "duration.:int", duration_seconds},
    ACCESSOR("getMilliseconds", milliseconds),
    {"getMilliseconds", "duration.:int", duration_milliseconds},
};

}  // namespace

std::span<const Overload> time_functions() { return kTimes; }

}  // namespace stead::cel
