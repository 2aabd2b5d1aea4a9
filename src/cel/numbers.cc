#include "cel/numbers.h"

#include <charconv>
#include <cmath>

namespace stead::cel {

namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

std::partial_ordering compare_int_double(int64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b < -kTwoTo63) return std::partial_ordering::greater;
  if (b >= kTwoTo63) return std::partial_ordering::less;
  auto whole = static_cast<int64_t>(b);
  if (a != whole) return a < whole ? std::partial_ordering::less : std::partial_ordering::greater;
  return 0.0 <=> b - static_cast<double>(whole);
}

std::partial_ordering compare_uint_double(uint64_t a, double b) {
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b < 0) return std::partial_ordering::greater;
  if (b >= kTwoTo64) return std::partial_ordering::less;
  auto whole = static_cast<uint64_t>(b);
  if (a != whole) return a < whole ? std::partial_ordering::less : std::partial_ordering::greater;
  return 0.0 <=> b - static_cast<double>(whole);
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
  char text[64];
  double magnitude = std::fabs(value);
  bool plain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e21);
  auto form = plain ? std::chars_format::fixed : std::chars_format::scientific;
  auto end = std::to_chars(text, text + sizeof text, value, form).ptr;
  return std::string(text, end);
}

}  // namespace stead::cel
