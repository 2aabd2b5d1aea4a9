#include <algorithm>
#include <compare>

#include "cel/library/library.h"
#include "cel/library/texts.h"

namespace stead::cel {

namespace {

Value size(const Call& call) { return Value::integer(static_cast<int64_t>(size_of(call[0]))); }

bool contains(const List& list, const Value& wanted) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (list.at(i).equals(wanted)) return true;
  }
  return false;
}
bool contains_all(const List& list, const List& wanted) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!contains(list, wanted.at(i))) return false;
  }
  return true;
}

Value in_list(const Call& call) { return Value::boolean(contains(call[1].as_list(), call[0])); }
Value in_map(const Call& call) { return Value::boolean(call[1].as_map().find(call[0]).has_value()); }

Value sets_contains(const Call& call) { return Value::boolean(contains_all(call[0].as_list(), call[1].as_list())); }
Value sets_equivalent(const Call& call) {
  const List& a = call[0].as_list();
  const List& b = call[1].as_list();
  return Value::boolean(contains_all(a, b) && contains_all(b, a));
}
Value sets_intersects(const Call& call) {
  const List& a = call[0].as_list();
  for (size_t i = 0; i < a.size(); ++i) {
    if (contains(call[1].as_list(), a.at(i))) return Value::boolean(true);
  }
  return Value::boolean(false);
}

Value no_such_overload() { return Value::error("no such overload"); }

// Whether the two can be ordered at all; NaN can, but with nothing.
bool comparable(const Value& a, const Value& b) {
  return compare_values(a, b) != std::partial_ordering::unordered ||
         (a.is(ValueKind::kDouble) && b.is(ValueKind::kDouble));
}

Value is_sorted(const Call& call) {
  const List& list = call[0].as_list();
  for (size_t i = 1; i < list.size(); ++i) {
    Value before = list.at(i - 1);
    Value here = list.at(i);
    if (!comparable(before, here)) return no_such_overload();
    if (std::is_gt(compare_values(before, here))) return Value::boolean(false);
  }
  return Value::boolean(true);
}

// The extreme of a list: the first item that no other one is `beyond`.
Value extreme(const Call& call, bool largest, std::string_view name) {
  const List& list = call[0].as_list();
  if (list.size() == 0) return Value::error(std::string(name) + " called on empty list");
  Value best = list.at(0);
  for (size_t i = 1; i < list.size(); ++i) {
    Value item = list.at(i);
    if (!comparable(best, item)) return no_such_overload();
    auto order = compare_values(item, best);
    if (largest ? std::is_gt(order) : std::is_lt(order)) best = std::move(item);
  }
  return best;
}
Value min(const Call& call) { return extreme(call, false, "min"); }
Value max(const Call& call) { return extreme(call, true, "max"); }

Value add(const Value& a, const Value& b) {
  Value arguments[] = {a, b};
  for (const Overload& overload : operator_functions()) {
    bool right =
        overload.name == "_+_" && ((a.is(ValueKind::kInt) && overload.signature == "int,int:int") ||
                                   (a.is(ValueKind::kUint) && overload.signature == "uint,uint:uint") ||
                                   (a.is(ValueKind::kDouble) && overload.signature == "double,double:double") ||
                                   (a.is(ValueKind::kDuration) && overload.signature == "duration,duration:duration"));
    if (right && a.kind() == b.kind()) return overload.run({.arguments = arguments});
  }
  return no_such_overload();
}
Value sum_from(const Call& call, Value sum) {
  const List& list = call[0].as_list();
  // A list of unknown type is summed as what it holds.
  if (list.size() > 0 && list.at(0).kind() != sum.kind()) {
    switch (list.at(0).kind()) {
      case ValueKind::kUint:
        sum = Value::unsigned_integer(0);
        break;
      case ValueKind::kDouble:
        sum = Value::floating(0);
        break;
      case ValueKind::kDuration:
        sum = Value::duration({});
        break;
      default:
        break;
    }
  }
  for (size_t i = 0; i < list.size() && !sum.is_error(); ++i) sum = add(sum, list.at(i));
  return sum;
}
Value sum_int(const Call& call) { return sum_from(call, Value::integer(0)); }
Value sum_uint(const Call& call) { return sum_from(call, Value::unsigned_integer(0)); }
Value sum_double(const Call& call) { return sum_from(call, Value::floating(0)); }
Value sum_duration(const Call& call) { return sum_from(call, Value::duration({})); }

Value index_of(const Call& call) {
  const List& list = call[0].as_list();
  for (size_t i = 0; i < list.size(); ++i) {
    if (list.at(i).equals(call[1])) return Value::integer(static_cast<int64_t>(i));
  }
  return Value::integer(-1);
}
Value last_index_of(const Call& call) {
  const List& list = call[0].as_list();
  for (size_t i = list.size(); i-- > 0;) {
    if (list.at(i).equals(call[1])) return Value::integer(static_cast<int64_t>(i));
  }
  return Value::integer(-1);
}

#define COMPARABLE(name, result, function)                                               \
  {name, "list<int>.:" result("int"), function, CostRule::kEachElement},                 \
      {name, "list<uint>.:" result("uint"), function, CostRule::kEachElement},           \
      {name, "list<double>.:" result("double"), function, CostRule::kEachElement},       \
      {name, "list<bool>.:" result("bool"), function, CostRule::kEachElement},           \
      {name, "list<duration>.:" result("duration"), function, CostRule::kEachElement},   \
      {name, "list<timestamp>.:" result("timestamp"), function, CostRule::kEachElement}, \
      {name, "list<string>.:" result("string"), function, CostRule::kEachElement}, {     \
    name, "list<bytes>.:" result("bytes"), function, CostRule::kEachElement              \
  }
#define SAME(type) type
#define BOOL(type) "bool"

constexpr Overload kCollections[] = {
    {"size", "bytes:int", size},
    {"size", "bytes.:int", size},
    {"size", "list<A>:int", size},
    {"size", "list<A>.:int", size},
    {"size", "map<A,B>:int", size},
    {"size", "map<A,B>.:int", size},
    {"size", "string:int", size},
    {"size", "string.:int", size},
    {"@in", "A,list<A>:bool", in_list, CostRule::kElements},
    {"@in", "A,map<A,B>:bool", in_map},
    // Evaluated by the interpreter: indexes of unknown type may be any number.
    {"_[_]", "list<A>,int:A", nullptr},
    {"_[_]", "map<A,B>,A:B", nullptr},
    {"_[_]", "optional<list<A>>,int:optional<A>", nullptr},
    {"_[_]", "optional<map<A,B>>,A:optional<B>", nullptr},
    {"_[?_]", "list<A>,int:optional<A>", nullptr},
    {"_[?_]", "map<A,B>,A:optional<B>", nullptr},
    {"_[?_]", "optional<list<A>>,int:optional<A>", nullptr},
    {"_[?_]", "optional<map<A,B>>,A:optional<B>", nullptr},
    {"sets.contains", "list<A>,list<A>:bool", sets_contains, CostRule::kPairs},
    {"sets.equivalent", "list<A>,list<A>:bool", sets_equivalent, CostRule::kPairsTwice},
    {"sets.intersects", "list<A>,list<A>:bool", sets_intersects, CostRule::kPairs},
    COMPARABLE("isSorted", BOOL, is_sorted),
    COMPARABLE("min", SAME, min),
    COMPARABLE("max", SAME, max),
    {"sum", "list<int>.:int", sum_int, CostRule::kEachElement},
    {"sum", "list<uint>.:uint", sum_uint, CostRule::kEachElement},
    {"sum", "list<double>.:double", sum_double, CostRule::kEachElement},
    {"sum", "list<duration>.:duration", sum_duration, CostRule::kEachElement},
    {"indexOf", "list<A>.A:int", index_of, CostRule::kEachElement},
    {"lastIndexOf", "list<A>.A:int", last_index_of, CostRule::kEachElement},
};

}  // namespace

std::span<const Overload> collection_functions() { return kCollections; }

}  // namespace stead::cel
