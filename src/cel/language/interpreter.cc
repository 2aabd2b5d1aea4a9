#include "cel/language/interpreter.h"

#include <algorithm>

#include "cel/language/cost.h"
#include "cel/library/library.h"
#include "cel/library/texts.h"
#include "cel/numbers.h"

namespace stead::cel {

namespace {

// Of all texts that one evaluation makes.
constexpr uint64_t kMadeBytesMax = 64'000'000;

std::string shown(const Value& value) { return to_text(value).value_or(value.type().name()); }

Value no_such_key(const Value& key) { return Value::error("no such key: " + shown(key)); }
Value no_such_overload() { return Value::error("no such overload"); }

// Whether reading starts at a variable, so that the whole chain of selections is one access.
bool is_attribute(const Expression& expression) {
  if (expression.kind == ExpressionKind::kIdentifier || expression.kind == ExpressionKind::kSelect) return true;
  return expression.kind == ExpressionKind::kCall &&
         (expression.name == "_[_]" || expression.name == "_[?_]" || expression.name == "_?._");
}

// The field of a value that is no optional; nullopt where it is absent.
std::optional<Value> find_field(const Value& operand, std::string_view name) {
  if (operand.is(ValueKind::kMap)) return operand.as_map().field(name);
  if (operand.is(ValueKind::kLazyObject)) return operand.as_lazy().field(name);
  if (operand.is(ValueKind::kList)) return Value::error("unsupported index type 'string' in list");
  return std::nullopt;
}

// The integer that an index of any numeric type means.
std::optional<int64_t> whole_index(const Value& key) {
  if (key.is(ValueKind::kInt)) return key.as_int();
  if (key.is(ValueKind::kUint) && key.as_uint() <= INT64_MAX) return static_cast<int64_t>(key.as_uint());
  if (key.is(ValueKind::kDouble)) {
    Value whole = to_int(key.as_double());
    if (!whole.is_error() && whole.equals(key)) return whole.as_int();
  }
  return std::nullopt;
}

// The element of a list or map; nullopt where it is absent.
std::optional<Value> find_element(const Value& operand, const Value& key) {
  if (operand.is(ValueKind::kMap)) return operand.as_map().find(key);
  if (operand.is(ValueKind::kLazyObject) && key.is_string()) return operand.as_lazy().field(key.as_string());
  if (!operand.is(ValueKind::kList)) return std::nullopt;
  auto at = whole_index(key);
  if (!at) return Value::error("unsupported index type '" + key.type().name() + "' in list");
  bool inside = *at >= 0 && static_cast<uint64_t>(*at) < operand.as_list().size();
  return inside ? std::optional(operand.as_list().at(static_cast<size_t>(*at))) : std::nullopt;
}

Value some(Value value) { return value.is_error() ? std::move(value) : Value::optional_of(std::move(value)); }
Value some(std::optional<Value> value) { return value ? some(*std::move(value)) : Value::optional_none(); }

}  // namespace

Evaluation Interpreter::run(const Expression& root) {
  Evaluation evaluation{.value = evaluate(root)};
  if (over_) evaluation.value = over_limit();
  evaluation.cost = cost_;
  evaluation.over_limit = over_;
  return evaluation;
}

bool Interpreter::charge(uint64_t units) {
  cost_ += units;
  if (cost_ > limit_) over_ = true;
  return !over_;
}

// Reading from what is not a variable makes it one first.
void Interpreter::charge_operand(const Expression& operand) { charge(is_attribute(operand) ? 1 : 2); }

Value Interpreter::over_limit() const { return Value::error("operation cancelled: actual cost limit exceeded"); }

Value Interpreter::evaluate(const Expression& expression) {
  if (over_) return over_limit();
  if (expression.constant) return expression.value;
  switch (expression.kind) {
    case ExpressionKind::kIdentifier:
      return identifier(expression);
    case ExpressionKind::kSelect:
      return select(expression);
    case ExpressionKind::kCall:
      return call(expression);
    case ExpressionKind::kList:
      return list(expression);
    case ExpressionKind::kMap:
      return map(expression);
    case ExpressionKind::kComprehension:
      return comprehension(expression);
    default:
      return expression.value;
  }
}

Value Interpreter::identifier(const Expression& expression) {
  charge(1);
  if (expression.local >= 0) return locals_[static_cast<size_t>(expression.local)];
  const Value* bound = activation_.find(expression.name);
  return bound ? *bound : Value::error("no such attribute(s): " + expression.name);
}

Value Interpreter::select(const Expression& expression) {
  const Expression& from = expression.child(0);
  Value operand = evaluate(from);
  if (expression.test_only) {
    // Asking for presence is free, the variable included.
    if (is_attribute(from) && cost_ > 0) --cost_;
  } else {
    charge_operand(from);
  }
  if (operand.is_error()) return operand;
  bool optional = operand.is(ValueKind::kOptional);
  if (optional) {
    if (!operand.as_optional()) return expression.test_only ? Value::boolean(false) : operand;
    operand = Value(*operand.as_optional());
  }
  // What has no fields at all has none of this name: an error only where the field itself is wanted.
  auto field = find_field(operand, expression.name);
  if (expression.test_only) {
    bool failed = field && field->is_error() && operand.is(ValueKind::kList);
    return failed ? *std::move(field) : Value::boolean(field.has_value());
  }
  if (optional) return some(std::move(field));
  return field ? *std::move(field) : Value::error("no such key: " + expression.name);
}

Value Interpreter::optional_select(const Expression& expression) {
  Value operand = evaluate(expression.child(0));
  charge_operand(expression.child(0));
  if (operand.is_error()) return operand;
  if (operand.is(ValueKind::kOptional)) {
    if (!operand.as_optional()) return operand;
    operand = Value(*operand.as_optional());
  }
  return some(find_field(operand, expression.child(1).value.as_string()));
}

Value Interpreter::index(const Expression& expression, bool optional) {
  Value operand = evaluate(expression.child(0));
  if (operand.is_error()) return operand;
  Value key = evaluate(expression.child(1));
  charge_operand(expression.child(0));
  if (key.is_error()) return key;
  if (operand.is(ValueKind::kOptional)) {
    if (!operand.as_optional()) return operand;
    operand = Value(*operand.as_optional());
    optional = true;
  }
  auto element = find_element(operand, key);
  if (optional) return some(std::move(element));
  if (element) return *std::move(element);
  return operand.is(ValueKind::kList) ? Value::error("index out of bounds: " + shown(key)) : no_such_key(key);
}

// `absorbing` decides alone: false for &&, true for ||. It also outweighs errors, wherever they stand.
Value Interpreter::logic(const Expression& expression, bool absorbing) {
  std::optional<Value> failed;
  for (const auto& term : expression.children) {
    Value value = evaluate(*term);
    if (over_) return over_limit();
    if (value.is_bool() && value.as_bool() == absorbing) return value;
    if (!value.is_bool() && !failed) failed = value.is_error() ? std::move(value) : no_such_overload();
  }
  return failed ? *std::move(failed) : Value::boolean(!absorbing);
}

Value Interpreter::conditional(const Expression& expression) {
  Value condition = evaluate(expression.child(0));
  if (condition.is_error()) return condition;
  if (!condition.is_bool()) return no_such_overload();
  return evaluate(expression.child(condition.as_bool() ? 1 : 2));
}

// or() and orValue(): the other is evaluated only where it is needed.
Value Interpreter::optional_else(const Expression& expression) {
  Value first = evaluate(expression.child(0));
  if (first.is_error()) return first;
  if (!first.is(ValueKind::kOptional)) return no_such_overload();
  if (first.as_optional()) return expression.name == "or" ? first : *first.as_optional();
  return evaluate(expression.child(1));
}

Value Interpreter::call(const Expression& expression) {
  const std::string& name = expression.name;
  if (name == "_&&_") return logic(expression, false);
  if (name == "_||_") return logic(expression, true);
  if (name == "_?_:_") return conditional(expression);
  if (name == "_[_]") return index(expression, false);
  if (name == "_[?_]") return index(expression, true);
  if (name == "_?._") return optional_select(expression);
  if (expression.member && (name == "or" || name == "orValue")) return optional_else(expression);
  std::vector<Value> arguments;
  arguments.reserve(expression.children.size());
  for (const auto& child : expression.children) {
    arguments.push_back(evaluate(*child));
    if (arguments.back().is_error()) return std::move(arguments.back());
  }
  return dispatch(expression, arguments);
}

Value Interpreter::dispatch(const Expression& expression, const std::vector<Value>& arguments) {
  for (const Signature& candidate : expression.candidates) {
    bool fits = true;
    for (size_t i = 0; i < arguments.size() && fits; ++i) fits = accepts(candidate.parameters[i], arguments[i]);
    if (!fits) continue;
    CostRule rule = candidate.overload->cost;
    // Membership in a constant list is as good as looked up.
    bool free = expression.name == "@in" && expression.child(1).constant;
    if (!free && !charge(call_cost(rule, arguments))) return over_limit();
    Value result = candidate.overload->run({.arguments = arguments, .regex = expression.regex.get()});
    // Some functions make more than their cost says.
    if (result.is_string()) made_bytes_ += result.as_string().size();
    if (made_bytes_ > kMadeBytesMax) return Value::error("texts are too long");
    if (rule == CostRule::kTraverseResult && !charge(result_cost(rule, result))) return over_limit();
    return result;
  }
  bool is_operator = !expression.name.empty() && expression.name.find_first_of("_@") != std::string::npos;
  if (is_operator) return no_such_overload();
  std::string types;
  for (const Value& argument : arguments) types += (types.empty() ? "" : ", ") + shown(Value::of_type(argument.type()));
  return Value::error("no such overload: " + expression.name + "(" + types + ")");
}

Value Interpreter::list(const Expression& expression) {
  std::vector<Value> items;
  items.reserve(expression.children.size());
  for (size_t i = 0; i < expression.children.size(); ++i) {
    Value item = evaluate(expression.child(i));
    if (item.is_error()) return item;
    if (expression.optionals[i]) {
      if (!item.is(ValueKind::kOptional)) return no_such_overload();
      if (!item.as_optional()) continue;
      item = Value(*item.as_optional());
    }
    items.push_back(std::move(item));
  }
  charge(kListCost);
  return Value::list(std::move(items));
}

Value Interpreter::map(const Expression& expression) {
  std::vector<std::pair<Value, Value>> entries;
  for (size_t i = 0; i + 1 < expression.children.size(); i += 2) {
    Value key = evaluate(expression.child(i));
    if (key.is_error()) return key;
    Value value = evaluate(expression.child(i + 1));
    if (value.is_error()) return value;
    bool keyed = is_number(key) || key.is_bool() || key.is_string();
    if (!keyed) return Value::error("unsupported key type");
    if (expression.optionals[i / 2]) {
      if (!value.is(ValueKind::kOptional)) return no_such_overload();
      if (!value.as_optional()) continue;
      value = Value(*value.as_optional());
    }
    for (const auto& entry : entries) {
      if (entry.first.equals(key)) return Value::error("Failed with repeated key");
    }
    entries.emplace_back(std::move(key), std::move(value));
  }
  charge(kMapCost);
  return Value::map(std::move(entries));
}

}  // namespace stead::cel
