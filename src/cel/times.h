#pragma once

// Texts of timestamps and durations, to the nanosecond, and the civil calendar. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "cel/value.h"

namespace stead::cel {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kTimestampMin = -62135596800;  // 0001-01-01T00:00:00Z
inline constexpr int64_t kTimestampMax = 253402300799;  // 9999-12-31T23:59:59Z

// RFC 3339; nullopt also outside of years 1 to 9999.
std::optional<Timestamp> parse_timestamp(std::string_view text);
std::string format_timestamp(Timestamp timestamp);  // "2026-01-02T03:04:05.5Z"
// Go's time.ParseDuration: "1h2m0.5s"; nullopt also for what 64 bits of nanoseconds do not hold.
std::optional<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);  // "3720.5s"

// A moment's calendar fields in a time zone.
struct CivilTime {
  int64_t year;
  int month;        // 1 … 12
  int day;          // 1 … 31
  int day_of_year;  // from 0
  int day_of_week;  // from 0: Sunday
  int hour, minute, second;
};
CivilTime civil_time(int64_t seconds_of_utc);
// Seconds to add to UTC at that moment: "UTC", "Europe/Berlin", "+02:00", "-8:30"; nullopt for an unknown zone.
std::optional<int64_t> zone_offset(std::string_view zone, int64_t seconds_of_utc);

}  // namespace stead::cel
