// Go's text form of durations (time.ParseDuration, Duration.String), to the microsecond.

#include "object/time.h"

namespace stead::object {
namespace {

// Nanoseconds of a unit, 0 where there is no such unit; `length` is the unit's bytes at the front of `text`.
int64_t unit_nanos(std::string_view text, size_t& length) {
  struct Unit {
    std::string_view name;
    int64_t nanos;
  };
  // Longer names stand before their prefixes.
  constexpr Unit kUnits[] = {{"ns", 1},         {"us", 1'000},        {"\xc2\xb5s", 1'000},  {"\xce\xbcs", 1'000},
                             {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    length = unit.name.size();
    return unit.nanos;
  }
  return 0;
}

std::string with_fraction(uint64_t whole, uint64_t part, int digits) {
  std::string text = std::to_string(whole);
  if (part == 0) return text;
  std::string fraction = std::to_string(part);
  fraction.insert(0, static_cast<size_t>(digits) - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Duration(0);
  if (text.empty()) return {};
  __int128 total = 0;
  while (!text.empty()) {
    __int128 whole = 0;
    __int128 fraction = 0;
    __int128 scale = 1;
    bool any = false;
    auto digit = [&] { return !text.empty() && text[0] >= '0' && text[0] <= '9'; };
    for (; digit(); text.remove_prefix(1), any = true) {
      whole = whole * 10 + (text[0] - '0');
      if (whole > INT64_MAX) return {};
    }
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      for (; digit(); text.remove_prefix(1), any = true) {
        if (scale > 1'000'000'000'000'000) continue;
        fraction = fraction * 10 + (text[0] - '0');
        scale *= 10;
      }
    }
    size_t length = 0;
    int64_t unit = unit_nanos(text, length);
    if (!any || unit == 0) return {};
    text.remove_prefix(length);
    total += whole * unit + fraction * unit / scale;
    if (total > INT64_MAX) return {};
  }
  auto micros = static_cast<int64_t>(total / 1000);
  return Duration(negative ? -micros : micros);
}

std::string format_duration(Duration duration) {
  if (duration.count() == 0) return "0s";
  const bool negative = duration.count() < 0;
  uint64_t micros = negative ? 0 - static_cast<uint64_t>(duration.count()) : static_cast<uint64_t>(duration.count());
  std::string text = negative ? "-" : "";
  if (micros < 1'000) return text + std::to_string(micros) + "\xc2\xb5s";
  if (micros < 1'000'000) return text + with_fraction(micros / 1'000, micros % 1'000, 3) + "ms";
  uint64_t seconds = micros / 1'000'000;
  if (seconds >= 3600) text += std::to_string(seconds / 3600) + "h";
  if (seconds >= 60) text += std::to_string(seconds / 60 % 60) + "m";
  return text + with_fraction(seconds % 60, micros % 1'000'000, 6) + "s";
}

}  // namespace stead::object
