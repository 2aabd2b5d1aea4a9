#include "cel/numbers.h"

#include <charconv>
#include <cmath>

namespace stead::cel {

namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

// Integers next to a double's rounding compare as the double they round to (CEL leaves it open, cel-go does so).
std::partial_ordering compare_int_double(int64_t a, double b) {
  if (b < -kTwoTo63) return std::partial_ordering::greater;
  if (b > kTwoTo63) return std::partial_ordering::less;
  return static_cast<double>(a) <=> b;
}

std::partial_ordering compare_uint_double(uint64_t a, double b) {
  if (b < 0) return std::partial_ordering::greater;
  if (b > kTwoTo64) return std::partial_ordering::less;
  return static_cast<double>(a) <=> b;
}

std::partial_ordering compare_int_uint(int64_t a, uint64_t b) {
  if (a < 0) return std::partial_ordering::less;
  return static_cast<uint64_t>(a) <=> b;
}

std::partial_ordering reversed(std::partial_ordering order) { return 0 <=> order; }

}  // namespace

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (a.is(ValueKind::kInt)) {
    if (b.is(ValueKind::kInt)) return a.as_int() <=> b.as_int();
    if (b.is(ValueKind::kUint)) return compare_int_uint(a.as_int(), b.as_uint());
    return compare_int_double(a.as_int(), b.as_double());
  }
  if (a.is(ValueKind::kUint)) {
    if (b.is(ValueKind::kInt)) return reversed(compare_int_uint(b.as_int(), a.as_uint()));
    if (b.is(ValueKind::kUint)) return a.as_uint() <=> b.as_uint();
    return compare_uint_double(a.as_uint(), b.as_double());
  }
  if (b.is(ValueKind::kInt)) return reversed(compare_int_double(b.as_int(), a.as_double()));
  if (b.is(ValueKind::kUint)) return reversed(compare_uint_double(b.as_uint(), a.as_double()));
  return a.as_double() <=> b.as_double();
}

Value to_int(double value) {
  // The bounds themselves are refused: a double next to them does not say which integer was meant.
  if (!(value > -kTwoTo63 && value < kTwoTo63)) return Value::error("integer overflow");
  return Value::integer(static_cast<int64_t>(value));
}

Value to_uint(double value) {
  if (!(value >= 0 && value < kTwoTo64)) return Value::error("unsigned integer overflow");
  return Value::unsigned_integer(static_cast<uint64_t>(value));
}

std::string format_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  char text[512];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  std::string_view written(text, end);
  int exponent = 0;
  std::string_view digits = written.substr(written.find('e') + 1);
  std::from_chars(digits.data() + (digits[0] == '+' ? 1 : 0), digits.data() + digits.size(), exponent);
  // Go's %g with the shortest precision.
  if (exponent < -4 || exponent >= 6) return std::string(written);
  end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  return std::string(text, end);
}

std::optional<double> parse_double(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error == std::errc()) return number;
  // Too small is zero; too large is an error.
  bool small = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
  if (error == std::errc::result_out_of_range && small) return 0.0;
  return std::nullopt;
}

}  // namespace stead::cel
