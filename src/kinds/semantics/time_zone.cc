#include "kinds/semantics/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <cctype>

namespace stead::kinds {

struct TimeZone::Data {
  absl::TimeZone zone;
};

namespace {

constexpr size_t kPartBytesMax = 14;

// Names are paths below the zone database: nothing may lead out of it.
bool is_zone_name(std::string_view name) {
  while (true) {
    size_t slash = name.find('/');
    std::string_view part = name.substr(0, slash);
    bool plain = std::all_of(part.begin(), part.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == '+';
    });
    if (part.empty() || part.size() > kPartBytesMax || !plain || part == "." || part == ".." || part[0] == '-') {
      return false;
    }
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

std::optional<TimeZone> TimeZone::find(std::string_view name) {
  if (name.empty() || name == "UTC") return utc();
  if (!is_zone_name(name)) return std::nullopt;
  auto data = std::make_shared<Data>();
  if (!absl::LoadTimeZone(std::string(name), &data->zone)) return std::nullopt;
  return TimeZone(std::move(data));
}

TimeZone TimeZone::utc() { return TimeZone(std::make_shared<Data>(Data{absl::UTCTimeZone()})); }

LocalTime TimeZone::local(WallTime time) const {
  absl::CivilSecond civil = data_->zone.At(absl::FromUnixMicros(time.time_since_epoch().count())).cs;
  // absl counts days of the week from Monday.
  int week_day = (static_cast<int>(absl::GetWeekday(civil)) + 1) % 7;
  return {civil.year(), civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second(), week_day};
}

WallTime TimeZone::at(const LocalTime& local) const {
  absl::CivilSecond civil(local.year, local.month, local.day, local.hour, local.minute, local.second);
  // Of a skipped time, the offset before the gap; of a repeated one, the first.
  return WallTime(Duration(absl::ToUnixMicros(data_->zone.At(civil).pre)));
}

std::string TimeZone::format(WallTime time) const {
  absl::Time moment = absl::FromUnixSeconds(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
  bool no_offset = data_->zone.At(moment).offset == 0;
  return absl::FormatTime(no_offset ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%S%Ez", moment, data_->zone);
}

}  // namespace stead::kinds
