#include "kinds/semantics/cron_schedule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <vector>

#include "object/time.h"

namespace stead::kinds {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kYearsMax = 5;

constexpr std::array<std::string_view, 12> kMonthNames = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDayNames = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Bounds {
  int64_t low = 0;
  int64_t high = 0;
  std::span<const std::string_view> names;  // of low, low + 1, …
};

struct Field {
  uint64_t bits = 0;
  bool any = false;
};

Error problem(std::string text) { return make_error(Reason::kInvalid, std::move(text)); }

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words = split(text, " \t\n\v\f\r");
  std::erase_if(words, [](std::string_view word) { return word.empty(); });
  return words;
}

std::string lowered(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), [](unsigned char c) { return std::tolower(c); });
  return made;
}

Result<int64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return problem("failed to parse int from " + std::string(text));
  }
  if (number < 0) return problem("negative number (" + std::to_string(number) + ") not allowed: " + std::string(text));
  return number;
}

Result<int64_t> parse_value(std::string_view text, const Bounds& bounds) {
  std::string name = lowered(text);
  for (size_t i = 0; i < bounds.names.size(); ++i) {
    if (bounds.names[i] == name) return bounds.low + static_cast<int64_t>(i);
  }
  return parse_number(text);
}

// "*", "3", "3-5", each with "/step".
Result<Field> parse_range(std::string_view text, const Bounds& bounds) {
  std::vector<std::string_view> parts = split(text, "/");
  std::vector<std::string_view> ends = split(parts[0], "-");
  int64_t low = bounds.low;
  int64_t high = bounds.high;
  bool star = ends[0] == "*" || ends[0] == "?";
  if (!star) {
    STEAD_TRY(first, parse_value(ends[0], bounds));
    low = first;
    high = first;
    if (ends.size() == 2) {
      STEAD_TRY(last, parse_value(ends[1], bounds));
      high = last;
    } else if (ends.size() > 2) {
      return problem("too many hyphens: " + std::string(text));
    }
  }
  int64_t step = 1;
  if (parts.size() == 2) {
    STEAD_TRY(given, parse_number(parts[1]));
    step = given;
    // "3/5" goes on to the end.
    if (!star && ends.size() == 1) high = bounds.high;
  } else if (parts.size() > 2) {
    return problem("too many slashes: " + std::string(text));
  }
  auto quoted = [](int64_t number) { return "(" + std::to_string(number) + ")"; };
  if (low < bounds.low) {
    return problem("beginning of range " + quoted(low) + " below minimum " + quoted(bounds.low) + ": " +
                   std::string(text));
  }
  if (high > bounds.high) {
    return problem("end of range " + quoted(high) + " above maximum " + quoted(bounds.high) + ": " + std::string(text));
  }
  if (low > high) {
    return problem("beginning of range " + quoted(low) + " beyond end of range " + quoted(high) + ": " +
                   std::string(text));
  }
  if (step == 0) return problem("step of range should be a positive number: " + std::string(text));
  Field field;
  field.any = star && step == 1;
  for (int64_t value = low; value <= high; value += std::min(step, bounds.high + 1)) field.bits |= uint64_t{1} << value;
  return field;
}

Result<Field> parse_field(std::string_view text, const Bounds& bounds) {
  Field field;
  for (std::string_view part : split(text, ",")) {
    if (part.empty()) continue;
    STEAD_TRY(range, parse_range(part, bounds));
    field.bits |= range.bits;
    field.any = field.any || range.any;
  }
  return field;
}

std::optional<std::string_view> macro_fields(std::string_view text) {
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@hourly") return "0 * * * *";
  return std::nullopt;
}

bool has(uint64_t bits, int value) { return (bits >> value & 1) != 0; }

// Forward in any case: where the local start of a month or day does not lie ahead, an hour later.
WallTime forward(WallTime from, WallTime to) { return to > from ? to : from + hours(1); }

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
  if (text.empty()) return problem("empty spec string");
  constexpr std::string_view kEvery = "@every ";
  CronSchedule made;
  if (text.starts_with(kEvery)) {
    auto duration = object::parse_duration(text.substr(kEvery.size()));
    if (!duration) return problem("failed to parse duration " + std::string(text));
    made.every_ = std::max<Duration>(seconds(1), std::chrono::floor<seconds>(*duration));
    return made;
  }
  if (text.starts_with('@')) {
    auto fields = macro_fields(text);
    if (!fields) return problem("unrecognized descriptor: " + std::string(text));
    text = *fields;
  }
  std::vector<std::string_view> words = words_of(text);
  if (words.size() != 5) {
    std::string list;
    for (std::string_view word : words) list += (list.empty() ? "" : " ") + std::string(word);
    return problem("expected exactly 5 fields, found " + std::to_string(words.size()) + ": [" + list + "]");
  }
  STEAD_TRY(minute, parse_field(words[0], {0, 59, {}}));
  STEAD_TRY(hour, parse_field(words[1], {0, 23, {}}));
  STEAD_TRY(day, parse_field(words[2], {1, 31, {}}));
  STEAD_TRY(month, parse_field(words[3], {1, 12, kMonthNames}));
  STEAD_TRY(week_day, parse_field(words[4], {0, 6, kDayNames}));
  made.minutes_ = minute.bits;
  made.hours_ = hour.bits;
  made.days_ = day.bits;
  made.months_ = month.bits;
  made.week_days_ = week_day.bits;
  made.any_day_ = day.any;
  made.any_week_day_ = week_day.any;
  return made;
}

bool CronSchedule::day_fits(const LocalTime& local) const {
  bool day = has(days_, local.day);
  bool week_day = has(week_days_, local.week_day);
  return any_day_ || any_week_day_ ? day && week_day : day || week_day;
}

std::optional<WallTime> CronSchedule::next(WallTime time, const TimeZone& zone) const {
  if (every_ > Duration::zero()) return std::chrono::floor<seconds>(time) + every_;
  WallTime at = std::chrono::floor<minutes>(time) + minutes(1);
  int64_t last_year = zone.local(at).year + kYearsMax;
  while (true) {
    LocalTime local = zone.local(at);
    if (local.year > last_year) return std::nullopt;
    if (!has(months_, local.month)) {
      at = forward(at, zone.at({local.year, local.month + 1, 1, 0, 0, 0}));
    } else if (!day_fits(local)) {
      at = forward(at, zone.at({local.year, local.month, local.day + 1, 0, 0, 0}));
    } else if (!has(hours_, local.hour)) {
      at += minutes(60 - local.minute);
    } else if (!has(minutes_, local.minute)) {
      at += minutes(1);
    } else {
      return at;
    }
  }
}

}  // namespace stead::kinds
