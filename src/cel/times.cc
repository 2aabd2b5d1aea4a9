#include "cel/times.h"

#include <absl/time/time.h>

#include <chrono>
#include <cstdio>

namespace stead::cel {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// ".5" as nanoseconds; digits past the ninth are dropped.
std::optional<int32_t> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  int32_t nanos = 0;
  int digits = 0;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits) {
    if (digits < 9) nanos = nanos * 10 + (text[0] - '0');
  }
  for (; digits < 9; ++digits) nanos *= 10;
  return nanos;
}

std::string fraction_text(int64_t nanos) {
  if (nanos == 0) return {};
  char text[16];
  std::snprintf(text, sizeof text, ".%09lld", static_cast<long long>(nanos));
  std::string fraction = text;
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return fraction;
}

// "+02:00" and "-8:30" in seconds.
std::optional<int64_t> fixed_offset(std::string_view zone) {
  int64_t sign = zone[0] == '-' ? -1 : 1;
  if (zone[0] == '+' || zone[0] == '-') zone.remove_prefix(1);
  size_t colon = zone.find(':');
  if (colon != 1 && colon != 2) return std::nullopt;
  auto hours = take_number(zone, colon);
  if (!hours || !take(zone, ':')) return std::nullopt;
  auto minutes = take_number(zone, 2);
  if (!minutes || !zone.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

struct Unit {
  std::string_view name;
  int64_t nanos;
};
constexpr Unit kUnits[] = {
    {"ns", 1},         {"us", 1'000},          {"\u00b5s", 1'000},          {"\u03bcs", 1'000},
    {"ms", 1'000'000}, {"s", kNanosPerSecond}, {"m", 60 * kNanosPerSecond}, {"h", 3600 * kNanosPerSecond}};

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  auto year_part = take_number(text, 4);
  if (!year_part || !take(text, '-')) return std::nullopt;
  auto month_part = take_number(text, 2);
  if (!month_part || !take(text, '-')) return std::nullopt;
  auto day_part = take_number(text, 2);
  if (!day_part || !(take(text, 'T') || take(text, 't'))) return std::nullopt;
  auto hours_part = take_number(text, 2);
  if (!hours_part || *hours_part > 23 || !take(text, ':')) return std::nullopt;
  auto minutes_part = take_number(text, 2);
  if (!minutes_part || *minutes_part > 59 || !take(text, ':')) return std::nullopt;
  auto seconds_part = take_number(text, 2);
  if (!seconds_part || *seconds_part > 59) return std::nullopt;
  auto nanos = take_fraction(text);
  if (!nanos) return std::nullopt;
  int64_t offset = 0;
  if (!take(text, 'Z') && !take(text, 'z')) {
    if (text.size() != 6) return std::nullopt;
    auto fixed = fixed_offset(text);
    if (!fixed || is_digit(text[0])) return std::nullopt;
    offset = *fixed;
    text = {};
  }
  if (!text.empty()) return std::nullopt;
  year_month_day date{year(*year_part), month(static_cast<unsigned>(*month_part)),
                      day(static_cast<unsigned>(*day_part))};
  if (!date.ok()) return std::nullopt;
  int64_t days = sys_days(date).time_since_epoch().count();
  int64_t at = days * 86400 + *hours_part * 3600 + *minutes_part * 60 + *seconds_part - offset;
  if (at < kTimestampMin || at > kTimestampMax) return std::nullopt;
  return Timestamp{at, *nanos};
}

std::string format_timestamp(Timestamp timestamp) {
  CivilTime civil = civil_time(timestamp.seconds);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", static_cast<int>(civil.year), civil.month,
                civil.day, civil.hour, civil.minute, civil.second);
  return text + fraction_text(timestamp.nanos) + "Z";
}

std::optional<Duration> parse_duration(std::string_view text) {
  bool negative = take(text, '-');
  if (!negative) take(text, '+');
  if (text == "0") return Duration{0};
  if (text.empty()) return std::nullopt;
  __int128 total = 0;
  while (!text.empty()) {
    size_t digits = 0;
    __int128 whole = 0;
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits) {
      whole = whole * 10 + (text[0] - '0');
      if (whole > (__int128{1} << 63)) return std::nullopt;
    }
    __int128 fraction = 0;
    __int128 scale = 1;
    if (take(text, '.')) {
      for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits) {
        if (scale >= 1'000'000'000'000'000'000) continue;
        fraction = fraction * 10 + (text[0] - '0');
        scale *= 10;
      }
    }
    if (digits == 0) return std::nullopt;
    const Unit* unit = nullptr;
    for (const Unit& each : kUnits) {
      if (text.starts_with(each.name) && (!unit || each.name.size() > unit->name.size())) unit = &each;
    }
    if (!unit) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += whole * unit->nanos + fraction * unit->nanos / scale;
    if (total > (__int128{1} << 63)) return std::nullopt;
  }
  if (negative) return Duration{static_cast<int64_t>(-total)};
  if (total >= (__int128{1} << 63)) return std::nullopt;
  return Duration{static_cast<int64_t>(total)};
}

std::string format_duration(Duration duration) {
  // Unsigned, so that the smallest value has a magnitude.
  bool negative = duration.nanos < 0;
  uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(duration.nanos) : static_cast<uint64_t>(duration.nanos);
  return (negative ? "-" : "") + std::to_string(magnitude / kNanosPerSecond) +
         fraction_text(static_cast<int64_t>(magnitude % kNanosPerSecond)) + "s";
}

CivilTime civil_time(int64_t seconds) {
  using namespace std::chrono;
  sys_days midnight = floor<days>(sys_seconds(std::chrono::seconds(seconds)));
  year_month_day date(midnight);
  int64_t of_day = seconds - midnight.time_since_epoch().count() * 86400;
  auto first = sys_days(date.year() / January / 1);
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<int>(static_cast<unsigned>(date.month())),
          .day = static_cast<int>(static_cast<unsigned>(date.day())),
          .day_of_year = static_cast<int>((midnight - first).count()),
          .day_of_week = static_cast<int>(weekday(midnight).c_encoding()),
          .hour = static_cast<int>(of_day / 3600),
          .minute = static_cast<int>(of_day / 60 % 60),
          .second = static_cast<int>(of_day % 60)};
}

std::optional<int64_t> zone_offset(std::string_view zone, int64_t seconds) {
  if (zone == "UTC" || zone.empty()) return 0;
  if (zone.find(':') != std::string_view::npos) return fixed_offset(zone);
  // The name becomes a path below the zones' folder.
  if (zone.front() == '/' || zone.find("..") != std::string_view::npos) return std::nullopt;
  absl::TimeZone loaded;
  if (!absl::LoadTimeZone(std::string(zone), &loaded)) return std::nullopt;
  return loaded.At(absl::FromUnixSeconds(seconds)).offset;
}

}  // namespace stead::cel
