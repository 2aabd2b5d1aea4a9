#include <cmath>
#include <compare>

#include "cel/documents.h"
#include "cel/library/library.h"
#include "cel/library/texts.h"
#include "cel/numbers.h"
#include "cel/times.h"

namespace stead::cel {

namespace {

Value int_overflow() { return Value::error("integer overflow"); }
Value uint_overflow() { return Value::error("unsigned integer overflow"); }

Value add_int(const Call& call) {
  int64_t result = 0;
  if (__builtin_add_overflow(call[0].as_int(), call[1].as_int(), &result)) return int_overflow();
  return Value::integer(result);
}
Value subtract_int(const Call& call) {
  int64_t result = 0;
  if (__builtin_sub_overflow(call[0].as_int(), call[1].as_int(), &result)) return int_overflow();
  return Value::integer(result);
}
Value multiply_int(const Call& call) {
  int64_t result = 0;
  if (__builtin_mul_overflow(call[0].as_int(), call[1].as_int(), &result)) return int_overflow();
  return Value::integer(result);
}
Value divide_int(const Call& call) {
  if (call[1].as_int() == 0) return Value::error("division by zero");
  if (call[0].as_int() == INT64_MIN && call[1].as_int() == -1) return int_overflow();
  return Value::integer(call[0].as_int() / call[1].as_int());
}
Value modulo_int(const Call& call) {
  if (call[1].as_int() == 0) return Value::error("modulus by zero");
  if (call[0].as_int() == INT64_MIN && call[1].as_int() == -1) return int_overflow();
  return Value::integer(call[0].as_int() % call[1].as_int());
}
Value negate_int(const Call& call) {
  if (call[0].as_int() == INT64_MIN) return int_overflow();
  return Value::integer(-call[0].as_int());
}

Value add_uint(const Call& call) {
  uint64_t result = 0;
  if (__builtin_add_overflow(call[0].as_uint(), call[1].as_uint(), &result)) return uint_overflow();
  return Value::unsigned_integer(result);
}
Value subtract_uint(const Call& call) {
  if (call[1].as_uint() > call[0].as_uint()) return uint_overflow();
  return Value::unsigned_integer(call[0].as_uint() - call[1].as_uint());
}
Value multiply_uint(const Call& call) {
  uint64_t result = 0;
  if (__builtin_mul_overflow(call[0].as_uint(), call[1].as_uint(), &result)) return uint_overflow();
  return Value::unsigned_integer(result);
}
Value divide_uint(const Call& call) {
  if (call[1].as_uint() == 0) return Value::error("division by zero");
  return Value::unsigned_integer(call[0].as_uint() / call[1].as_uint());
}
Value modulo_uint(const Call& call) {
  if (call[1].as_uint() == 0) return Value::error("modulus by zero");
  return Value::unsigned_integer(call[0].as_uint() % call[1].as_uint());
}

Value add_double(const Call& call) { return Value::floating(call[0].as_double() + call[1].as_double()); }
Value subtract_double(const Call& call) { return Value::floating(call[0].as_double() - call[1].as_double()); }
Value multiply_double(const Call& call) { return Value::floating(call[0].as_double() * call[1].as_double()); }
Value divide_double(const Call& call) { return Value::floating(call[0].as_double() / call[1].as_double()); }
Value negate_double(const Call& call) { return Value::floating(-call[0].as_double()); }

Value add_string(const Call& call) {
  std::string joined(call[0].as_string());
  joined += call[1].as_string();
  return Value::string(std::move(joined));
}
Value add_bytes(const Call& call) {
  std::string joined(call[0].as_bytes());
  joined += call[1].as_bytes();
  return Value::bytes(std::move(joined));
}
Value add_list(const Call& call) { return concatenate(call[0].list_pointer(), call[1].list_pointer()); }

Value checked_timestamp(int64_t seconds, int64_t nanos) {
  seconds += nanos / kNanosPerSecond;
  nanos %= kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  if (seconds < kTimestampMin || seconds > kTimestampMax) return Value::error("timestamp overflow");
  return Value::timestamp({seconds, static_cast<int32_t>(nanos)});
}

Value add_to_timestamp(const Value& at, const Value& duration) {
  Timestamp from = at.as_timestamp();
  int64_t nanos = duration.as_duration().nanos;
  return checked_timestamp(from.seconds + nanos / kNanosPerSecond, from.nanos + nanos % kNanosPerSecond);
}
Value add_timestamp_duration(const Call& call) { return add_to_timestamp(call[0], call[1]); }
Value add_duration_timestamp(const Call& call) { return add_to_timestamp(call[1], call[0]); }
Value subtract_timestamp_duration(const Call& call) {
  Timestamp from = call[0].as_timestamp();
  int64_t nanos = call[1].as_duration().nanos;
  return checked_timestamp(from.seconds - nanos / kNanosPerSecond, from.nanos - nanos % kNanosPerSecond);
}
Value subtract_timestamps(const Call& call) {
  Timestamp a = call[0].as_timestamp();
  Timestamp b = call[1].as_timestamp();
  __int128 nanos = static_cast<__int128>(a.seconds - b.seconds) * kNanosPerSecond + (a.nanos - b.nanos);
  if (nanos > INT64_MAX || nanos < INT64_MIN) return Value::error("duration overflow");
  return Value::duration({static_cast<int64_t>(nanos)});
}
Value add_durations(const Call& call) {
  int64_t nanos = 0;
  bool over = __builtin_add_overflow(call[0].as_duration().nanos, call[1].as_duration().nanos, &nanos);
  return over ? Value::error("duration overflow") : Value::duration({nanos});
}
Value subtract_durations(const Call& call) {
  int64_t nanos = 0;
  bool over = __builtin_sub_overflow(call[0].as_duration().nanos, call[1].as_duration().nanos, &nanos);
  return over ? Value::error("duration overflow") : Value::duration({nanos});
}

Value negate_bool(const Call& call) { return Value::boolean(!call[0].as_bool()); }
Value equals(const Call& call) { return Value::boolean(call[0].equals(call[1])); }
Value differs(const Call& call) { return Value::boolean(!call[0].equals(call[1])); }

// Whether the order of the two is as `wanted` says of less, equal, greater.
Value ordered(const Call& call, bool less, bool equal, bool greater) {
  std::partial_ordering order = compare_values(call[0], call[1]);
  if (order == std::partial_ordering::unordered) return Value::error("NaN values cannot be ordered");
  if (std::is_lt(order)) return Value::boolean(less);
  return Value::boolean(std::is_eq(order) ? equal : greater);
}
Value less(const Call& call) { return ordered(call, true, false, false); }
Value less_equal(const Call& call) { return ordered(call, true, true, false); }
Value greater(const Call& call) { return ordered(call, false, false, true); }
Value greater_equal(const Call& call) { return ordered(call, false, true, true); }

#define ORDERINGS(name, function)                                                                                     \
  {name, "bool,bool:bool", function}, {name, "int,int:bool", function}, {name, "int,double:bool", function},          \
      {name, "int,uint:bool", function}, {name, "uint,uint:bool", function}, {name, "uint,double:bool", function},    \
      {name, "uint,int:bool", function}, {name, "double,double:bool", function}, {name, "double,int:bool", function}, \
      {name, "double,uint:bool", function}, {name, "string,string:bool", function, CostRule::kCompare},               \
      {name, "bytes,bytes:bool", function, CostRule::kCompare}, {name, "timestamp,timestamp:bool", function}, {       \
    name, "duration,duration:bool", function                                                                          \
  }

constexpr Overload kOperators[] = {
    {"!_", "bool:bool", negate_bool},
    {"_==_", "A,A:bool", equals, CostRule::kCompare},
    {"_!=_", "A,A:bool", differs, CostRule::kCompare},
    {"_+_", "bytes,bytes:bytes", add_bytes, CostRule::kTraverseBoth},
    {"_+_", "double,double:double", add_double},
    {"_+_", "duration,duration:duration", add_durations},
    {"_+_", "duration,timestamp:timestamp", add_duration_timestamp},
    {"_+_", "timestamp,duration:timestamp", add_timestamp_duration},
    {"_+_", "int,int:int", add_int},
    {"_+_", "list<A>,list<A>:list<A>", add_list},
    {"_+_", "string,string:string", add_string, CostRule::kTraverseBoth},
    {"_+_", "uint,uint:uint", add_uint},
    {"_-_", "double,double:double", subtract_double},
    {"_-_", "duration,duration:duration", subtract_durations},
    {"_-_", "int,int:int", subtract_int},
    {"_-_", "timestamp,duration:timestamp", subtract_timestamp_duration},
    {"_-_", "timestamp,timestamp:duration", subtract_timestamps},
    {"_-_", "uint,uint:uint", subtract_uint},
    {"_*_", "double,double:double", multiply_double},
    {"_*_", "int,int:int", multiply_int},
    {"_*_", "uint,uint:uint", multiply_uint},
    {"_/_", "double,double:double", divide_double},
    {"_/_", "int,int:int", divide_int},
    {"_/_", "uint,uint:uint", divide_uint},
    {"_%_", "int,int:int", modulo_int},
    {"_%_", "uint,uint:uint", modulo_uint},
    {"-_", "double:double", negate_double},
    {"-_", "int:int", negate_int},
    ORDERINGS("_<_", less),
    ORDERINGS("_<=_", less_equal),
    ORDERINGS("_>_", greater),
    ORDERINGS("_>=_", greater_equal),
    // Evaluated by the interpreter, which need not know every operand.
    {"_?_:_", "bool,A,A:A", nullptr},
};

}  // namespace

std::span<const Overload> operator_functions() { return kOperators; }

}  // namespace stead::cel
