#pragma once

// Numbers across their three types, and conversions that may overflow. Pure.

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "cel/value.h"

namespace stead::cel {

inline bool is_number(const Value& value) {
  return value.is(ValueKind::kInt) || value.is(ValueKind::kUint) || value.is(ValueKind::kDouble);
}

// By value; unordered with NaN. Both are numbers.
std::partial_ordering compare_numbers(const Value& a, const Value& b);

// Error Values with "integer overflow" style messages where the result does not fit.
Value to_int(double value);
Value to_uint(double value);

// Decimal text; nullopt where it is none, or too large for a double.
std::optional<double> parse_double(std::string_view text);

// As Go prints a double: the shortest form that reads back, "1e+06" for large ones, "NaN", "+Inf".
std::string format_double(double value);

}  // namespace stead::cel
