#include "cel/library/library.h"
#include "cel/library/texts.h"

namespace stead::cel {

namespace {

bool is_zero(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return true;
    case ValueKind::kBool:
      return !value.as_bool();
    case ValueKind::kInt:
      return value.as_int() == 0;
    case ValueKind::kUint:
      return value.as_uint() == 0;
    case ValueKind::kDouble:
      return value.as_double() == 0;
    case ValueKind::kDuration:
      return value.as_duration().nanos == 0;
    case ValueKind::kOptional:
      return !value.as_optional() || is_zero(*value.as_optional());
    case ValueKind::kString:
    case ValueKind::kBytes:
    case ValueKind::kList:
    case ValueKind::kMap:
      return size_of(value) == 0;
    default:
      return false;
  }
}

Value none(const Call&) { return Value::optional_none(); }
Value of(const Call& call) { return Value::optional_of(call[0]); }
Value of_non_zero(const Call& call) { return is_zero(call[0]) ? Value::optional_none() : Value::optional_of(call[0]); }
Value has_value(const Call& call) { return Value::boolean(call[0].as_optional() != nullptr); }
Value value(const Call& call) {
  return call[0].as_optional() ? *call[0].as_optional() : Value::error("optional.none() dereference");
}
Value either(const Call& call) { return call[0].as_optional() ? call[0] : call[1]; }
Value value_or(const Call& call) { return call[0].as_optional() ? *call[0].as_optional() : call[1]; }

Value at_end(const Call& call, bool last) {
  const List& list = call[0].as_list();
  if (list.size() == 0) return Value::optional_none();
  Value item = list.at(last ? list.size() - 1 : 0);
  return item.is_error() ? item : Value::optional_of(std::move(item));
}
Value first(const Call& call) { return at_end(call, false); }
Value last(const Call& call) { return at_end(call, true); }

Value unwrap(const Call& call) {
  const List& list = call[0].as_list();
  std::vector<Value> items;
  for (size_t i = 0; i < list.size(); ++i) {
    Value item = list.at(i);
    if (!item.is(ValueKind::kOptional)) return Value::error("value is not an optional");
    if (item.as_optional()) items.push_back(*item.as_optional());
  }
  return Value::list(std::move(items));
}

constexpr Overload kOptionals[] = {
    {"optional.none", ":optional<A>", none},
    {"optional.of", "A:optional<A>", of},
    {"optional.ofNonZeroValue", "A:optional<A>", of_non_zero},
    {"optional.unwrap", "list<optional<A>>:list<A>", unwrap},
    {"unwrapOpt", "list<optional<A>>.:list<A>", unwrap},
    {"hasValue", "optional<A>.:bool", has_value},
    {"value", "optional<A>.:A", value},
    {"or", "optional<A>.optional<A>:optional<A>", either},
    {"orValue", "optional<A>.A:A", value_or},
    {"first", "list<A>.:optional<A>", first},
    {"last", "list<A>.:optional<A>", last},
};

}  // namespace

std::span<const Overload> optional_functions() { return kOptionals; }

}  // namespace stead::cel
