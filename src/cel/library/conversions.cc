#include <charconv>
#include <cmath>
#include <limits>

#include "cel/library/library.h"
#include "cel/library/texts.h"
#include "cel/numbers.h"
#include "cel/times.h"

namespace stead::cel {

namespace {

Value same(const Call& call) { return call[0]; }

Value failed(const Call& call, std::string_view to) {
  return Value::error("type conversion error from '" + call[0].type().name() + "' to '" + std::string(to) + "'");
}

// The whole text as a number; "+" may stand in front.
template <class Number>
bool read_number(std::string_view text, Number& number) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Value string_to_int(const Call& call) {
  int64_t number = 0;
  return read_number(call[0].as_string(), number) ? Value::integer(number) : failed(call, "int");
}
Value uint_to_int(const Call& call) {
  if (call[0].as_uint() > INT64_MAX) return Value::error("integer overflow");
  return Value::integer(static_cast<int64_t>(call[0].as_uint()));
}
Value double_to_int(const Call& call) { return to_int(call[0].as_double()); }
Value timestamp_to_int(const Call& call) { return Value::integer(call[0].as_timestamp().seconds); }
Value duration_to_int(const Call& call) { return Value::integer(call[0].as_duration().nanos); }

Value string_to_uint(const Call& call) {
  uint64_t number = 0;
  std::string_view text = call[0].as_string();
  bool fine = !text.starts_with('+') && read_number(text, number);
  return fine ? Value::unsigned_integer(number) : failed(call, "uint");
}
Value int_to_uint(const Call& call) {
  if (call[0].as_int() < 0) return Value::error("unsigned integer overflow");
  return Value::unsigned_integer(static_cast<uint64_t>(call[0].as_int()));
}
Value double_to_uint(const Call& call) { return to_uint(call[0].as_double()); }

Value string_to_double(const Call& call) {
  std::string_view text = call[0].as_string();
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  auto number = parse_double(text);
  return number ? Value::floating(*number) : failed(call, "double");
}
Value int_to_double(const Call& call) { return Value::floating(static_cast<double>(call[0].as_int())); }
Value uint_to_double(const Call& call) { return Value::floating(static_cast<double>(call[0].as_uint())); }

Value string_to_bool(const Call& call) {
  std::string_view text = call[0].as_string();
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return Value::boolean(true);
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return Value::boolean(false);
  }
  return failed(call, "bool");
}

Value string_to_bytes(const Call& call) { return Value::bytes(std::string(call[0].as_string())); }
Value bytes_to_string(const Call& call) {
  if (!is_utf8(call[0].as_bytes())) return Value::error("invalid UTF-8 in bytes, cannot convert to string");
  return Value::string(std::string(call[0].as_bytes()));
}
Value any_to_string(const Call& call) {
  auto text = to_text(call[0]);
  return text ? Value::string(*std::move(text)) : failed(call, "string");
}

Value string_to_timestamp(const Call& call) {
  auto timestamp = parse_timestamp(call[0].as_string());
  return timestamp ? Value::timestamp(*timestamp) : failed(call, "timestamp");
}
Value int_to_timestamp(const Call& call) {
  int64_t seconds = call[0].as_int();
  if (seconds < kTimestampMin || seconds > kTimestampMax) return Value::error("timestamp overflow");
  return Value::timestamp({seconds, 0});
}
Value string_to_duration(const Call& call) {
  auto duration = parse_duration(call[0].as_string());
  return duration ? Value::duration(*duration) : failed(call, "duration");
}

Value type_of(const Call& call) { return Value::of_type(call[0].type()); }

constexpr Overload kConversions[] = {
    {"type", "A:type<A>", type_of},
    {"dyn", "A:dyn", same},
    {"bool", "bool:bool", same},
    {"bool", "string:bool", string_to_bool},
    {"bytes", "bytes:bytes", same},
    {"bytes", "string:bytes", string_to_bytes, CostRule::kTraverse},
    {"double", "double:double", same},
    {"double", "int:double", int_to_double},
    {"double", "string:double", string_to_double},
    {"double", "uint:double", uint_to_double},
    {"duration", "duration:duration", same},
    {"duration", "string:duration", string_to_duration},
    {"int", "int:int", same},
    {"int", "double:int", double_to_int},
    {"int", "duration:int", duration_to_int},
    {"int", "string:int", string_to_int},
    {"int", "timestamp:int", timestamp_to_int},
    {"int", "uint:int", uint_to_int},
    {"string", "string:string", same},
    {"string", "bool:string", any_to_string},
    {"string", "bytes:string", bytes_to_string, CostRule::kTraverse},
    {"string", "double:string", any_to_string},
    {"string", "duration:string", any_to_string},
    {"string", "int:string", any_to_string},
    {"string", "timestamp:string", any_to_string},
    {"string", "uint:string", any_to_string},
    {"timestamp", "timestamp:timestamp", same},
    {"timestamp", "int:timestamp", int_to_timestamp},
    {"timestamp", "string:timestamp", string_to_timestamp},
    {"uint", "uint:uint", same},
    {"uint", "double:uint", double_to_uint},
    {"uint", "int:uint", int_to_uint},
    {"uint", "string:uint", string_to_uint},
};

}  // namespace

std::span<const Overload> conversion_functions() { return kConversions; }

}  // namespace stead::cel
