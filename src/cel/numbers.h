#pragma once

// Numbers across their three types, and conversions that may overflow. Pure.

#include <compare>

#include "cel/value.h"

namespace stead::cel {

inline bool is_number(const Value& value) {
  return value.is(ValueKind::kInt) || value.is(ValueKind::kUint) || value.is(ValueKind::kDouble);
}

// By mathematical value, without rounding; unordered with NaN. Both are numbers.
std::partial_ordering compare_numbers(const Value& a, const Value& b);

// Error Values with "integer overflow" style messages where the result does not fit.
Value to_int(double value);
Value to_uint(double value);

// As cel-go prints a double: shortest form that reads back, "1e+21" for large ones, "NaN", "+Inf".
std::string format_double(double value);

}  // namespace stead::cel
