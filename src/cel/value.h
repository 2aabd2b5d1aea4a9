#pragma once

// Value: what an expression evaluates to. Documents are read in place: a Value made with `document()` or reached from
// one refers to the object::Value it was made of, which must outlive it and not change. Everything else it owns, with
// its copies. An error is a value too, because CEL's && and || absorb errors. Immutable; safe in any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "cel/type.h"
#include "object/value.h"

namespace stead::cel {

class Value;
class List;
class Map;

// Seconds and nanoseconds since 1970 in UTC, years 1 to 9999.
struct Timestamp {
  int64_t seconds = 0;
  int32_t nanos = 0;  // 0 … 999,999,999
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};
struct Duration {
  int64_t nanos = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
};

// A value with a name for its type and nothing else that is generic: quantities, URLs, addresses, authorizers.
class Opaque {
 public:
  virtual ~Opaque() = default;
  virtual std::string_view type_name() const = 0;
  // `other` has the same type_name().
  virtual bool equals(const Opaque& other) const { return this == &other; }
  // What size-dependent costs count.
  virtual uint64_t size() const { return 1; }
};

// An object whose fields are made when asked for (`variables` of an admission policy). The implementation keeps what it
// computed; both functions may be called often.
class LazyObject {
 public:
  virtual ~LazyObject() = default;
  // An error Value where it failed; nullopt where there is no such field.
  virtual std::optional<Value> field(std::string_view name) const = 0;
};

enum class ValueKind : uint8_t {
  kNull,
  kBool,
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kTimestamp,
  kDuration,
  kList,
  kMap,  // also documents' objects, with declared fields or without
  kLazyObject,
  kOptional,
  kType,
  kOpaque,
  kError,
};

class Value {
 public:
  static constexpr uint64_t kWeightMax = 2'000'000;

  Value() = default;  // null
  static Value null() { return Value(); }
  static Value boolean(bool value) { return Value(value); }
  static Value integer(int64_t value) { return Value(value); }
  static Value unsigned_integer(uint64_t value) { return Value(value); }
  static Value floating(double value) { return Value(value); }
  static Value string(std::string text);
  static Value borrowed_string(std::string_view text);  // `text` outlives the Value and its copies
  static Value bytes(std::string bytes);
  static Value timestamp(Timestamp value) { return Value(value); }
  static Value duration(Duration value) { return Value(value); }
  // An error Value where lists of lists reach more than kWeightMax values.
  static Value list(std::vector<Value> items);
  static Value map(std::vector<std::pair<Value, Value>> entries);  // keys are distinct; also bounded
  static Value list(std::shared_ptr<const List> list) { return Value(std::move(list)); }
  static Value map(std::shared_ptr<const Map> map) { return Value(std::move(map)); }
  static Value lazy(std::shared_ptr<const LazyObject> object) { return Value(std::move(object)); }
  static Value optional_of(Value value);
  static Value optional_none();
  static Value of_type(Type type) { return Value(std::move(type)); }
  static Value opaque(std::shared_ptr<const Opaque> opaque) { return Value(std::move(opaque)); }
  static Value error(std::string message);

  // `document` seen as `type`: strings become timestamps, durations or bytes, and numbers doubles, where the type says
  // so; members without a type are not there. An error Value where it is not of that type. Conversion happens when a
  // part is read, so a wrong part that is never read is no error. A document of dyn has its natural form.
  static Value document(const object::Value& document, const Type& type = Type());
  // The same, for a document that the Value then owns.
  static Value owned_document(object::Value document, const Type& type = Type());

  ValueKind kind() const { return static_cast<ValueKind>(data_.index()); }
  bool is(ValueKind kind) const { return this->kind() == kind; }
  bool is_error() const { return kind() == ValueKind::kError; }
  bool is_null() const { return kind() == ValueKind::kNull; }
  bool is_bool() const { return kind() == ValueKind::kBool; }
  bool is_string() const { return kind() == ValueKind::kString; }

  // Each aborts on another kind.
  bool as_bool() const { return std::get<bool>(data_); }
  int64_t as_int() const { return std::get<int64_t>(data_); }
  uint64_t as_uint() const { return std::get<uint64_t>(data_); }
  double as_double() const { return std::get<double>(data_); }
  std::string_view as_string() const { return std::get<Text>(data_).view; }  // valid as long as a copy of this lives
  std::string_view as_bytes() const { return std::get<Binary>(data_).text.view; }
  Timestamp as_timestamp() const { return std::get<Timestamp>(data_); }
  Duration as_duration() const { return std::get<Duration>(data_); }
  const List& as_list() const { return *list_pointer(); }
  const std::shared_ptr<const List>& list_pointer() const { return std::get<std::shared_ptr<const List>>(data_); }
  const Map& as_map() const { return *std::get<std::shared_ptr<const Map>>(data_); }
  const LazyObject& as_lazy() const { return *std::get<std::shared_ptr<const LazyObject>>(data_); }
  const Value* as_optional() const { return std::get<Optional>(data_).value.get(); }  // nullptr: none
  const Type& as_type() const { return std::get<Type>(data_); }
  const Opaque& as_opaque() const { return *std::get<std::shared_ptr<const Opaque>>(data_); }
  const std::string& error_message() const { return *std::get<Failure>(data_).message; }

  // What `type(x)` gives; lists and maps have dyn parts.
  Type type() const;
  // Values reached from this one.
  uint64_t weight() const;

  // A document again: uints are ints, bytes base64, times text. kInvalid for what no document can hold (types, opaque
  // values, maps with keys that are no strings, an error).
  Result<object::Value> to_document() const;

  // CEL's equality: numbers by value across their types, lists and maps deeply (by their list type), different kinds
  // unequal. `other` and this are no errors.
  bool equals(const Value& other) const;

 private:
  struct Text {
    std::string_view view;
    std::shared_ptr<const std::string> owner;  // null: borrowed
  };
  struct Binary {
    Text text;
  };
  struct Optional {
    std::shared_ptr<const Value> value;
  };
  struct Failure {
    std::shared_ptr<const std::string> message;
  };
  // In the order of ValueKind.
  using Data = std::variant<std::monostate, bool, int64_t, uint64_t, double, Text, Binary, Timestamp, Duration,
                            std::shared_ptr<const List>, std::shared_ptr<const Map>, std::shared_ptr<const LazyObject>,
                            Optional, Type, std::shared_ptr<const Opaque>, Failure>;

  template <class T>
  explicit Value(T data) : data_(std::move(data)) {}

  Data data_;
};

class List {
 public:
  virtual ~List() = default;
  virtual size_t size() const = 0;
  virtual Value at(size_t index) const = 0;  // index < size(); maybe an error Value
  // How many values are reached from here, more or less: what bounds the work of comparing.
  virtual uint64_t weight() const { return size(); }
  // What `==` and `+` mean.
  virtual ListSemantics semantics() const { return ListSemantics::kAtomic; }
  virtual const std::vector<std::string>* map_keys() const { return nullptr; }
};

class Map {
 public:
  virtual ~Map() = default;
  virtual size_t size() const = 0;
  virtual uint64_t weight() const { return size(); }  // as of List
  virtual std::optional<Value> find(const Value& key) const = 0;
  // The member that `x.name` selects: find(), except for objects whose names are escaped.
  virtual std::optional<Value> field(std::string_view name) const;
  virtual std::vector<Value> keys() const = 0;
};

}  // namespace stead::cel
