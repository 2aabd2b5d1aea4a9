// What macros do: loops over lists and maps. Costs count what each macro stands for: the accumulated value is read
// before and inside each step, and a growing list is a new one each time.

#include <algorithm>

#include "cel/language/cost.h"
#include "cel/language/interpreter.h"
#include "cel/library/texts.h"
#include "cel/value_index.h"

namespace stead::cel {

namespace {

// What one step costs besides the macro's own expressions.
constexpr uint64_t kAllStep = 3;     // is it still true; and
constexpr uint64_t kExistsStep = 4;  // is it not yet true; or
constexpr uint64_t kCountStep = 2;   // one more
constexpr uint64_t kAppendStep = 2 + kListCost;
constexpr uint64_t kInsertStep = 2;
constexpr uint64_t kSkipStep = 1;
constexpr uint64_t kResult = 1;

// The pairs that a macro visits: of a list, positions and items; of a map, keys and values.
class Range {
 public:
  explicit Range(const Value& value) : value_(value) {
    if (value.is(ValueKind::kMap)) keys_ = value.as_map().keys();
  }
  size_t size() const { return value_.is(ValueKind::kMap) ? keys_.size() : value_.as_list().size(); }
  // `with_second`: both; otherwise the item of a list or the key of a map.
  std::pair<Value, Value> at(size_t index, bool with_second) const {
    if (value_.is(ValueKind::kMap)) {
      if (!with_second) return {keys_[index], Value()};
      auto value = value_.as_map().find(keys_[index]);
      return {keys_[index], value ? *std::move(value) : Value()};
    }
    Value item = value_.as_list().at(index);
    if (!with_second) return {std::move(item), Value()};
    return {Value::integer(static_cast<int64_t>(index)), std::move(item)};
  }

 private:
  const Value& value_;
  std::vector<Value> keys_;
};

// What a macro gathers over its steps.
struct Gathered {
  std::vector<Value> items;
  std::vector<std::pair<Value, Value>> entries;
  ValueIndex index;  // of the entries' keys
  int64_t count = 0;
  bool decided = false;         // all and exists: no further step matters
  std::optional<Value> failed;  // all and exists: an error that a later step may outweigh
};

// nullopt where all is well.
std::optional<Value> insert(Gathered& gathered, Value key, Value value) {
  uint64_t hash = hash_of(key);
  bool known = gathered.index.find(hash, [&](size_t at) { return gathered.entries[at].first.equals(key); }).has_value();
  if (known) {
    return Value::error("insert failed: key " + to_text(key).value_or(key.type().name()) + " already exists");
  }
  gathered.index.add(hash, gathered.entries.size());
  gathered.entries.emplace_back(std::move(key), std::move(value));
  return std::nullopt;
}

std::optional<Value> insert_all(Gathered& gathered, const Value& from) {
  if (!from.is(ValueKind::kMap)) return Value::error("no such overload");
  for (Value& key : from.as_map().keys()) {
    auto value = from.as_map().find(key);
    if (!value) continue;
    auto failed = insert(gathered, std::move(key), *std::move(value));
    if (failed) return failed;
  }
  return std::nullopt;
}

uint64_t step_cost(Macro macro, bool taken) {
  switch (macro) {
    case Macro::kAll:
      return kAllStep;
    case Macro::kExists:
      return kExistsStep;
    case Macro::kExistsOne:
      return taken ? kCountStep : kSkipStep;
    case Macro::kMap:
    case Macro::kFilter:
      return taken ? kAppendStep : kSkipStep;
    default:
      return taken ? kInsertStep : kSkipStep;
  }
}

// One step's value of the body into what is gathered; an error that ends the loop, or nullopt.
std::optional<Value> gather(Macro macro, Gathered& gathered, std::pair<Value, Value>& variables, Value value) {
  switch (macro) {
    case Macro::kAll:
    case Macro::kExists: {
      bool deciding = macro == Macro::kExists;
      if (value.is_bool() && value.as_bool() == deciding) {
        gathered.decided = true;
      } else if (!value.is_bool() && !gathered.failed) {
        gathered.failed = value.is_error() ? std::move(value) : Value::error("no such overload");
      }
      return std::nullopt;
    }
    case Macro::kExistsOne:
    case Macro::kFilter:
      if (value.is_error()) return value;
      if (!value.is_bool()) return Value::error("no such overload");
      if (!value.as_bool()) return std::nullopt;
      ++gathered.count;
      if (macro == Macro::kFilter) gathered.items.push_back(variables.first);
      return std::nullopt;
    case Macro::kMap:
      if (value.is_error()) return value;
      gathered.items.push_back(std::move(value));
      return std::nullopt;
    case Macro::kTransformMap:
      if (value.is_error()) return value;
      return insert(gathered, variables.first, std::move(value));
    default:
      if (value.is_error()) return value;
      return insert_all(gathered, value);
  }
}

Value result_of(Macro macro, Gathered gathered) {
  switch (macro) {
    case Macro::kAll:
    case Macro::kExists:
      if (gathered.decided) return Value::boolean(macro == Macro::kExists);
      return gathered.failed ? *std::move(gathered.failed) : Value::boolean(macro == Macro::kAll);
    case Macro::kExistsOne:
      return Value::boolean(gathered.count == 1);
    case Macro::kMap:
    case Macro::kFilter:
      return Value::list(std::move(gathered.items));
    default:
      return Value::map(std::move(gathered.entries));
  }
}

}  // namespace

Value Interpreter::comprehension(const Expression& expression) {
  if (expression.macro == Macro::kOptMap || expression.macro == Macro::kOptFlatMap) return mapped_optional(expression);
  Value over = evaluate(expression.child(0));
  if (over.is_error()) return over;
  if (!over.is(ValueKind::kList) && !over.is(ValueKind::kMap)) return Value::error("no such overload");
  bool two = !expression.name2.empty();
  bool insert = expression.macro == Macro::kTransformMap || expression.macro == Macro::kTransformMapEntry;
  if (insert) charge(kMapCost);
  Range range(over);
  Gathered gathered;
  size_t outside = locals_.size();
  for (size_t i = 0; i < range.size() && !gathered.decided; ++i) {
    auto variables = range.at(i, two);
    locals_.resize(outside);
    locals_.push_back(variables.first);
    if (two) locals_.push_back(variables.second);
    Value taken = Value::boolean(true);
    if (expression.children.size() > 2) taken = evaluate(expression.child(2));
    std::optional<Value> ended;
    bool take = taken.is_bool() && taken.as_bool();
    if (!taken.is_bool()) {
      ended = taken.is_error() ? taken : Value::error("no such overload");
    } else if (take) {
      Value value = evaluate(expression.child(1));
      take = !value.is_bool() || value.as_bool();
      ended = gather(expression.macro, gathered, variables, std::move(value));
    }
    bool transforms = expression.macro == Macro::kMap || insert;
    charge(step_cost(expression.macro, take || (transforms && taken.is_bool() && taken.as_bool())));
    if (over_) ended = over_limit();
    if (ended) {
      locals_.resize(outside);
      return *std::move(ended);
    }
  }
  locals_.resize(outside);
  charge(expression.macro == Macro::kExistsOne ? kResult + 1 : kResult);
  return result_of(expression.macro, std::move(gathered));
}

// optional.optMap(variable, value) and optFlatMap.
Value Interpreter::mapped_optional(const Expression& expression) {
  Value optional = evaluate(expression.child(0));
  if (optional.is_error()) return optional;
  if (!optional.is(ValueKind::kOptional)) return Value::error("no such overload");
  charge(1);
  if (!optional.as_optional()) return optional;
  locals_.push_back(*optional.as_optional());
  Value value = evaluate(expression.child(1));
  locals_.pop_back();
  charge(2);
  if (value.is_error()) return value;
  if (expression.macro == Macro::kOptMap) return Value::optional_of(std::move(value));
  return value.is(ValueKind::kOptional) ? value : Value::error("no such overload");
}

}  // namespace stead::cel
