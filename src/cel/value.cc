#include "cel/value.h"

#include <algorithm>

#include "cel/documents.h"
#include "cel/numbers.h"
#include "cel/times.h"
#include "cel/value_index.h"
#include "object/base64.h"

namespace stead::cel {

namespace {

class OwnedList final : public List {
 public:
  OwnedList(std::vector<Value> items, uint64_t weight) : items_(std::move(items)), weight_(weight) {}
  uint64_t weight() const override { return weight_; }
  size_t size() const override { return items_.size(); }
  Value at(size_t index) const override { return items_[index]; }

 private:
  std::vector<Value> items_;
  uint64_t weight_;
};

class OwnedMap final : public Map {
 public:
  OwnedMap(std::vector<std::pair<Value, Value>> entries, uint64_t weight)
      : entries_(std::move(entries)), weight_(weight) {
    if (entries_.size() < kIndexedFrom) return;
    for (size_t i = 0; i < entries_.size(); ++i) index_.add(hash_of(entries_[i].first), i);
  }
  uint64_t weight() const override { return weight_; }
  size_t size() const override { return entries_.size(); }
  std::optional<Value> find(const Value& key) const override {
    if (entries_.size() >= kIndexedFrom) {
      auto at = index_.find(hash_of(key), [&](size_t i) { return entries_[i].first.equals(key); });
      return at ? std::optional(entries_[*at].second) : std::nullopt;
    }
    for (const auto& [each, value] : entries_) {
      if (each.equals(key)) return value;
    }
    return std::nullopt;
  }
  std::vector<Value> keys() const override {
    std::vector<Value> keys;
    keys.reserve(entries_.size());
    for (const auto& entry : entries_) keys.push_back(entry.first);
    return keys;
  }

 private:
  // Smaller maps are searched faster without an index.
  static constexpr size_t kIndexedFrom = 16;

  std::vector<std::pair<Value, Value>> entries_;
  ValueIndex index_;
  uint64_t weight_;
};

// Whether each item of `a` has an equal one in `b`, found by the keys of a list of maps or as a whole.
bool each_found(const List& a, const List& b) {
  const std::vector<std::string>* keys = a.map_keys();
  auto hash = [&](const Value& item) { return keys ? hash_of_keys(item, *keys) : hash_of(item); };
  ValueIndex index;
  for (size_t i = 0; i < b.size(); ++i) index.add(hash(b.at(i)), i);
  for (size_t i = 0; i < a.size(); ++i) {
    Value item = a.at(i);
    if (!index.find(hash(item), [&](size_t at) { return item.equals(b.at(at)); })) return false;
  }
  return true;
}

bool lists_equal(const List& a, const List& b) {
  if (a.size() != b.size()) return false;
  if (a.semantics() != ListSemantics::kAtomic) return each_found(a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a.at(i).equals(b.at(i))) return false;
  }
  return true;
}

bool maps_equal(const Map& a, const Map& b) {
  if (a.size() != b.size()) return false;
  return std::ranges::all_of(a.keys(), [&](const Value& key) {
    auto left = a.find(key);
    auto right = b.find(key);
    return left && right && left->equals(*right);
  });
}

}  // namespace

std::optional<Value> Map::field(std::string_view name) const { return find(Value::borrowed_string(name)); }

Value Value::string(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  std::string_view view = *owner;
  return Value(Text{view, std::move(owner)});
}

Value Value::borrowed_string(std::string_view text) { return Value(Text{text, nullptr}); }

Value Value::bytes(std::string bytes) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  std::string_view view = *owner;
  return Value(Binary{Text{view, std::move(owner)}});
}

uint64_t Value::weight() const {
  if (is(ValueKind::kList)) return 1 + as_list().weight();
  if (is(ValueKind::kMap)) return 1 + as_map().weight();
  if (is(ValueKind::kOptional) && as_optional()) return 1 + as_optional()->weight();
  return 1;
}

Value Value::list(std::vector<Value> items) {
  uint64_t weight = 0;
  for (const Value& item : items) weight += item.weight();
  if (weight > kWeightMax) return error("list is too large");
  return Value(std::shared_ptr<const List>(std::make_shared<const OwnedList>(std::move(items), weight)));
}

Value Value::map(std::vector<std::pair<Value, Value>> entries) {
  uint64_t weight = 0;
  for (const auto& entry : entries) weight += 1 + entry.second.weight();
  if (weight > kWeightMax) return error("map is too large");
  return Value(std::shared_ptr<const Map>(std::make_shared<const OwnedMap>(std::move(entries), weight)));
}

Value Value::optional_of(Value value) { return Value(Optional{std::make_shared<const Value>(std::move(value))}); }
Value Value::optional_none() { return Value(Optional{}); }

Value Value::error(std::string message) {
  return Value(Failure{std::make_shared<const std::string>(std::move(message))});
}

Type Value::type() const {
  switch (kind()) {
    case ValueKind::kNull:
      return Type::null();
    case ValueKind::kBool:
      return Type::boolean();
    case ValueKind::kInt:
      return Type::int64();
    case ValueKind::kUint:
      return Type::uint64();
    case ValueKind::kDouble:
      return Type::float64();
    case ValueKind::kString:
      return Type::string();
    case ValueKind::kBytes:
      return Type::bytes();
    case ValueKind::kTimestamp:
      return Type::timestamp();
    case ValueKind::kDuration:
      return Type::duration();
    case ValueKind::kList:
      return Type::list(Type());
    case ValueKind::kMap:
    case ValueKind::kLazyObject:
      return Type::map(Type(), Type());
    case ValueKind::kOptional:
      return Type::optional(Type());
    case ValueKind::kType:
      return Type::type(Type());
    case ValueKind::kOpaque:
      return Type::opaque(as_opaque().type_name());
    case ValueKind::kError:
      break;
  }
  return Type(TypeKind::kError);
}

bool Value::equals(const Value& other) const {
  if (is_number(*this) && is_number(other)) return compare_numbers(*this, other) == std::partial_ordering::equivalent;
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case ValueKind::kNull:
      return true;
    case ValueKind::kBool:
      return as_bool() == other.as_bool();
    case ValueKind::kString:
      return as_string() == other.as_string();
    case ValueKind::kBytes:
      return as_bytes() == other.as_bytes();
    case ValueKind::kTimestamp:
      return as_timestamp() == other.as_timestamp();
    case ValueKind::kDuration:
      return as_duration() == other.as_duration();
    case ValueKind::kList:
      return lists_equal(as_list(), other.as_list());
    case ValueKind::kMap:
      return maps_equal(as_map(), other.as_map());
    case ValueKind::kLazyObject:
      return &as_lazy() == &other.as_lazy();
    case ValueKind::kOptional: {
      const Value* left = as_optional();
      const Value* right = other.as_optional();
      return left && right ? left->equals(*right) : left == right;
    }
    case ValueKind::kType:
      return types_alike(as_type(), other.as_type());
    case ValueKind::kOpaque:
      return as_opaque().type_name() == other.as_opaque().type_name() && as_opaque().equals(other.as_opaque());
    default:
      return false;
  }
}

Result<object::Value> Value::to_document() const {
  switch (kind()) {
    case ValueKind::kNull:
      return object::Value();
    case ValueKind::kBool:
      return object::Value(as_bool());
    case ValueKind::kInt:
      return object::Value(as_int());
    case ValueKind::kUint:
      if (as_uint() > INT64_MAX) return object::Value(static_cast<double>(as_uint()));
      return object::Value(static_cast<int64_t>(as_uint()));
    case ValueKind::kDouble:
      return object::Value(as_double());
    case ValueKind::kString:
      return object::Value(as_string());
    case ValueKind::kBytes:
      return object::Value(object::encode_base64(as_bytes()));
    case ValueKind::kTimestamp:
      return object::Value(format_timestamp(as_timestamp()));
    case ValueKind::kDuration:
      return object::Value(format_duration(as_duration()));
    case ValueKind::kList: {
      object::Value array = object::Value::array();
      for (size_t i = 0; i < as_list().size(); ++i) {
        STEAD_TRY(item, as_list().at(i).to_document());
        array.append(std::move(item));
      }
      return array;
    }
    case ValueKind::kMap: {
      object::Value object = object::Value::object();
      for (const Value& key : as_map().keys()) {
        if (!key.is_string()) return make_error(Reason::kInvalid, "a document's names are strings");
        auto member = as_map().find(key);
        if (!member) continue;
        STEAD_TRY(value, member->to_document());
        object.set(key.as_string(), std::move(value));
      }
      return object;
    }
    case ValueKind::kOptional:
      return as_optional() ? as_optional()->to_document() : Result<object::Value>(object::Value());
    case ValueKind::kError:
      return make_error(Reason::kInvalid, error_message());
    default:
      return make_error(Reason::kInvalid, "no document can hold a value of type " + type().name());
  }
}

}  // namespace stead::cel
