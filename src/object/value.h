#pragma once

// Value: one node of a document tree, the form in which every API object is held, decoded and encoded. It is a
// plain value: copies are deep, moves are cheap, equality ignores the order of object members. A published object
// is a `shared_ptr<const Object>` (object.h); nobody changes a Value that others can see.
//
// A Value takes 16 bytes. Strings up to 15 bytes sit inside it; longer ones share one immutable heap block with their
// copies; names that live for ever (those of descriptors) may be borrowed instead of copied. Reading a Value as another
// kind than it has yields the zero of the kind asked for, as a missing field would.
//
// Subtrees that many documents have in common (field sets) may be shared: copies of a shared array or object refer to
// one immutable content, in any thread, and a copy that is changed gets content of its own first.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stead::object {

class Member;

class Value {
 public:
  enum class Kind : uint8_t { kNull, kBool, kInt, kDouble, kString, kArray, kObject };

  Value() noexcept { set_tag(Tag::kNull); }
  Value(bool value) noexcept;                                          // NOLINT: literals read as values
  Value(int value) noexcept;                                           // NOLINT
  Value(int64_t value) noexcept;                                       // NOLINT
  Value(double value) noexcept;                                        // NOLINT
  Value(std::string_view value);                                       // NOLINT
  Value(const char* value) : Value(std::string_view(value)) {}         // NOLINT
  Value(const std::string& value) : Value(std::string_view(value)) {}  // NOLINT
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value() { clear(); }

  // `value` must live for ever; it is not copied.
  static Value borrowed(std::string_view value);
  static Value array() { return array({}); }
  static Value array(std::initializer_list<Value> items);
  static Value array(std::vector<Value> items);
  static Value object() { return object({}); }
  static Value object(std::initializer_list<std::pair<std::string_view, Value>> members);
  // `value` with the content of its topmost array or object shared from now on. What is inside stays as it is.
  static Value shared(Value value);
  // Names the content that copies share; nullptr where this Value's content is its own.
  const void* shared_content() const;

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_int() const { return kind() == Kind::kInt; }
  bool is_number() const { return kind() == Kind::kInt || kind() == Kind::kDouble; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  bool as_bool(bool otherwise = false) const;
  int64_t as_int(int64_t otherwise = 0) const;
  double as_double(double otherwise = 0) const;
  // Valid until this Value changes or dies. Empty for other kinds.
  std::string_view as_string() const;

  // Arrays. items() of another kind is empty; append() makes null an array first.
  std::span<const Value> items() const;
  std::vector<Value>& mutable_items();  // makes null an array; aborts on other kinds
  Value& append(Value item);

  // Objects, in order of insertion. members() of another kind is empty.
  std::span<const Member> members() const;
  std::vector<Member>& mutable_members();  // makes null an object; aborts on other kinds
  size_t size() const;                     // items or members; 0 for other kinds
  bool empty() const { return size() == 0; }

  // The member's value, or nullptr. Follows one name.
  const Value* find(std::string_view name) const;
  Value* find(std::string_view name);
  // Follows several names; nullptr where one is missing.
  const Value* find(std::initializer_list<std::string_view> path) const;
  // The member's value, or the null Value.
  const Value& at(std::string_view name) const;
  const Value& at(std::initializer_list<std::string_view> path) const;
  // The member's value, made null if missing; makes null an object.
  Value& operator[](std::string_view name);
  void set(std::string_view name, Value value) { (*this)[name] = std::move(value); }
  // Sets at the end of a path, making objects on the way.
  void set(std::initializer_list<std::string_view> path, Value value);
  // Whether there was one.
  bool erase(std::string_view name);
  bool erase(std::initializer_list<std::string_view> path);

  friend bool operator==(const Value& a, const Value& b);

  // Heap bytes held by this tree, without this Value's own 16 and without shared content.
  size_t heap_bytes() const;

 private:
  enum class Tag : uint8_t { kNull, kFalse, kTrue, kInt, kDouble, kInline, kHeap, kBorrowed, kArray, kObject };

  Tag tag() const { return static_cast<Tag>(bytes_[15] & 0x0f); }
  void set_tag(Tag tag, uint8_t high = 0) {
    bytes_[15] = static_cast<uint8_t>(static_cast<uint8_t>(tag) | (high << 4));
  }
  template <class T>
  T load() const;
  template <class T>
  void store(T value);
  void store_text(const char* text, uint32_t length);
  void clear() noexcept;
  // Arrays and objects use the high half of the tag: whether their content is shared.
  bool is_shared() const { return (bytes_[15] >> 4) != 0 && (tag() == Tag::kArray || tag() == Tag::kObject); }
  void own_content();  // before a change

  alignas(8) uint8_t bytes_[16];
};

static_assert(sizeof(Value) == 16);

// A member of an object. The name is a string Value so that descriptors' names can be borrowed.
class Member {
 public:
  Member(Value name, Value member_value) : value(std::move(member_value)), name_(std::move(name)) {}
  std::string_view name() const { return name_.as_string(); }

  Value value;

 private:
  Value name_;
};

}  // namespace stead::object
