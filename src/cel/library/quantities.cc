#include <charconv>
#include <cmath>
#include <compare>

#include "cel/library/library.h"
#include "cel/library/opaque.h"
#include "object/quantity.h"

namespace stead::cel {

namespace {

struct HeldQuantity {
  static constexpr std::string_view kTypeName = "kubernetes.Quantity";
  object::Quantity quantity;
  friend bool operator==(const HeldQuantity& a, const HeldQuantity& b) { return a.quantity == b.quantity; }
};

const object::Quantity& of(const Call& call, size_t index) { return held<HeldQuantity>(call[index]).quantity; }
Value hold_quantity(object::Quantity quantity) { return hold(HeldQuantity{quantity}); }

Value parse(const Call& call) {
  auto quantity = object::Quantity::parse(call[0].as_string());
  return quantity.ok() ? hold_quantity(quantity.value()) : Value::error(quantity.error().message);
}
Value is_quantity(const Call& call) { return Value::boolean(object::Quantity::parse(call[0].as_string()).ok()); }

Value sign(const Call& call) {
  const object::Quantity& quantity = of(call, 0);
  return Value::integer(quantity.is_zero() ? 0 : quantity.is_negative() ? -1 : 1);
}

// value() rounds and saturates: what reads back was whole.
bool is_whole(const object::Quantity& quantity) { return object::Quantity::from_units(quantity.value()) == quantity; }
Value is_integer(const Call& call) { return Value::boolean(is_whole(of(call, 0))); }
Value as_integer(const Call& call) {
  if (!is_whole(of(call, 0))) return Value::error("cannot convert value to integer");
  return Value::integer(of(call, 0).value());
}

Value as_float(const Call& call) {
  std::string text = of(call, 0).str();
  double number = 0;
  auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  std::string_view suffix(end, static_cast<size_t>(text.data() + text.size() - end));
  constexpr std::string_view kSuffixes = "num kMGTPE";
  if (suffix.size() == 2) {
    number *= std::pow(1024.0, static_cast<double>(std::string_view("KMGTPE").find(suffix[0]) + 1));
  } else if (suffix.size() == 1) {
    number *= std::pow(1000.0, static_cast<double>(kSuffixes.find(suffix[0])) - 3);
  }
  return Value::floating(number);
}

Value add(const Call& call) { return hold_quantity(of(call, 0) + of(call, 1)); }
Value add_int(const Call& call) { return hold_quantity(of(call, 0) + object::Quantity::from_units(call[1].as_int())); }
Value sub(const Call& call) { return hold_quantity(of(call, 0) - of(call, 1)); }
Value sub_int(const Call& call) { return hold_quantity(of(call, 0) - object::Quantity::from_units(call[1].as_int())); }

Value is_greater(const Call& call) { return Value::boolean(of(call, 0) > of(call, 1)); }
Value is_less(const Call& call) { return Value::boolean(of(call, 0) < of(call, 1)); }
Value compare(const Call& call) {
  auto order = of(call, 0) <=> of(call, 1);
  return Value::integer(std::is_lt(order) ? -1 : std::is_gt(order) ? 1 : 0);
}

constexpr Overload kQuantities[] = {
    {"quantity", "string:quantity", parse, CostRule::kTraverse},
    {"isQuantity", "string:bool", is_quantity, CostRule::kTraverse},
    {"sign", "quantity:int", sign},
    {"sign", "quantity.:int", sign},
    {"isInteger", "quantity.:bool", is_integer},
    {"asInteger", "quantity.:int", as_integer},
    {"asApproximateFloat", "quantity.:double", as_float},
    {"add", "quantity.quantity:quantity", add},
    {"add", "quantity.int:quantity", add_int},
    {"sub", "quantity.quantity:quantity", sub},
    {"sub", "quantity.int:quantity", sub_int},
    {"isGreaterThan", "quantity.quantity:bool", is_greater},
    {"isLessThan", "quantity.quantity:bool", is_less},
    {"compareTo", "quantity.quantity:int", compare},
};

}  // namespace

std::span<const Overload> quantity_functions() { return kQuantities; }

}  // namespace stead::cel
