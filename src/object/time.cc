#include "object/time.h"

#include <cstdio>

namespace stead::object {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Reads fixed-width and free-width decimal numbers off the front of a text.
class Digits {
 public:
  explicit Digits(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_[0]; }
  bool take(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool number(size_t width, int& into) {
    if (text_.size() < width) return false;
    into = 0;
    for (size_t i = 0; i < width; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      into = into * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(width);
    return true;
  }
  // The digits of a fraction, as microseconds; what is finer is cut off.
  bool fraction(int64_t& micros) {
    int64_t scale = 100'000;
    bool any = false;
    while (peek() >= '0' && peek() <= '9') {
      micros += scale * (peek() - '0');
      scale /= 10;
      any = true;
      text_.remove_prefix(1);
    }
    return any;
  }

 private:
  std::string_view text_;
};

std::string format(WallTime time, bool micro) {
  auto day = std::chrono::floor<days>(time);
  std::chrono::year_month_day date(day);
  auto of_day = time - day;
  auto whole = std::chrono::duration_cast<seconds>(of_day).count();
  char buffer[64];
  int length =
      std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(whole / 3600), static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60));
  std::string text(buffer, static_cast<size_t>(length));
  if (micro) {
    std::snprintf(buffer, sizeof buffer, ".%06d", static_cast<int>((of_day - seconds(whole)).count()));
    text += buffer;
  }
  return text + "Z";
}

std::string two_units(int64_t large, const char* large_unit, int64_t small, const char* small_unit) {
  std::string text = std::to_string(large) + large_unit;
  if (small != 0) text += std::to_string(small) + small_unit;
  return text;
}

}  // namespace

std::string format_time(WallTime time) { return format(time, false); }
std::string format_micro_time(WallTime time) { return format(time, true); }

std::optional<WallTime> parse_time(std::string_view text) {
  Digits in(text);
  int year, month, day, hour, minute, second;
  if (!in.number(4, year) || !in.take('-') || !in.number(2, month) || !in.take('-') || !in.number(2, day)) return {};
  if (!in.take('T') || !in.number(2, hour) || !in.take(':') || !in.number(2, minute) || !in.take(':')) return {};
  if (!in.number(2, second)) return {};
  int64_t micros = 0;
  if ((in.take('.') || in.take(',')) && !in.fraction(micros)) return {};
  int offset_minutes = 0;
  if (!in.take('Z')) {
    bool negative = in.peek() == '-';
    if (!in.take('-') && !in.take('+')) return {};
    int offset_hour, offset_minute;
    if (!in.number(2, offset_hour) || !in.take(':') || !in.number(2, offset_minute)) return {};
    if (offset_hour > 24 || offset_minute > 59) return {};
    offset_minutes = (offset_hour * 60 + offset_minute) * (negative ? -1 : 1);
  }
  if (!in.done() || hour > 23 || minute > 59 || second > 59) return {};
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return {};
  return WallTime(std::chrono::sys_days(date)) + hours(hour) + minutes(minute - offset_minutes) + seconds(second) +
         microseconds(micros);
}

std::string human_duration(Duration duration) {
  int64_t total = std::chrono::duration_cast<seconds>(duration).count();
  // Clocks of two machines may differ by a moment: that is "now", not an error.
  if (total < -1) return "<invalid>";
  if (total < 0) return "0s";
  if (total < 120) return std::to_string(total) + "s";
  int64_t in_minutes = total / 60;
  if (in_minutes < 10) return two_units(in_minutes, "m", total % 60, "s");
  if (in_minutes < 180) return std::to_string(in_minutes) + "m";
  int64_t in_hours = in_minutes / 60;
  if (in_hours < 8) return two_units(in_hours, "h", in_minutes % 60, "m");
  if (in_hours < 48) return std::to_string(in_hours) + "h";
  if (in_hours < 24 * 8) return two_units(in_hours / 24, "d", in_hours % 24, "h");
  if (in_hours < 24 * 365 * 2) return std::to_string(in_hours / 24) + "d";
  if (in_hours < 24 * 365 * 8) return two_units(in_hours / 24 / 365, "y", in_hours / 24 % 365, "d");
  return std::to_string(in_hours / 24 / 365) + "y";
}

}  // namespace stead::object
