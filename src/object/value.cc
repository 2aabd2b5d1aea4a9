#include "object/value.h"

#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"

namespace stead::object {
namespace {

const Value kNullValue;

// The text of a long string: immutable, shared by the copies of a Value, with the number of them before it.
using Owners = std::atomic<uint32_t>;

Owners& owners_of(const char* text) { return *reinterpret_cast<Owners*>(const_cast<char*>(text) - sizeof(Owners)); }

const char* make_text(std::string_view value) {
  auto* block = static_cast<char*>(::operator new(sizeof(Owners) + value.size()));
  new (block) Owners(1);
  std::memcpy(block + sizeof(Owners), value.data(), value.size());
  return block + sizeof(Owners);
}

void share_text(const char* text) { owners_of(text).fetch_add(1, std::memory_order_relaxed); }

void release_text(const char* text) {
  if (owners_of(text).fetch_sub(1, std::memory_order_acq_rel) == 1) {
    ::operator delete(const_cast<char*>(text) - sizeof(Owners));
  }
}

// Content that several Values refer to; dies with the last of them.
template <class Item>
struct SharedContent : std::vector<Item> {
  explicit SharedContent(std::vector<Item> content) : std::vector<Item>(std::move(content)) {}
  std::atomic<uint32_t> references = 1;
};

template <class Item>
void refer(std::vector<Item>* content) {
  static_cast<SharedContent<Item>*>(content)->references.fetch_add(1, std::memory_order_relaxed);
}

template <class Item>
void release(std::vector<Item>* content, bool shared) {
  if (!shared) {
    delete content;
    return;
  }
  auto* counted = static_cast<SharedContent<Item>*>(content);
  if (counted->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete counted;
}

}  // namespace

template <class T>
T Value::load() const {
  T value;
  std::memcpy(&value, bytes_, sizeof(T));  // NOLINT(bugprone-sizeof-expression): a pointer itself
  return value;
}

template <class T>
void Value::store(T value) {
  std::memcpy(bytes_, &value, sizeof(T));  // NOLINT(bugprone-sizeof-expression): a pointer itself
}

void Value::store_text(const char* text, uint32_t length) {
  store(text);
  std::memcpy(bytes_ + 8, &length, sizeof length);
}

Value::Value(bool value) noexcept { set_tag(value ? Tag::kTrue : Tag::kFalse); }

Value::Value(int value) noexcept : Value(static_cast<int64_t>(value)) {}

Value::Value(int64_t value) noexcept {
  store(value);
  set_tag(Tag::kInt);
}

Value::Value(double value) noexcept {
  store(value);
  set_tag(Tag::kDouble);
}

Value::Value(std::string_view value) {
  if (value.size() <= 15) {
    if (!value.empty()) std::memcpy(bytes_, value.data(), value.size());
    // A full inline string needs byte 15 for its tag, so 15 characters use bytes 0 to 14.
    set_tag(Tag::kInline, static_cast<uint8_t>(value.size()));
    return;
  }
  STEAD_CHECK(value.size() <= UINT32_MAX);
  store_text(make_text(value), static_cast<uint32_t>(value.size()));
  set_tag(Tag::kHeap);
}

Value Value::borrowed(std::string_view value) {
  if (value.size() <= 15) return Value(value);
  Value made;
  made.store_text(value.data(), static_cast<uint32_t>(value.size()));
  made.set_tag(Tag::kBorrowed);
  return made;
}

Value Value::array(std::initializer_list<Value> items) { return array(std::vector<Value>(items)); }

Value Value::array(std::vector<Value> items) {
  Value made;
  made.store(new std::vector<Value>(std::move(items)));
  made.set_tag(Tag::kArray);
  return made;
}

Value Value::object(std::initializer_list<std::pair<std::string_view, Value>> members) {
  Value made;
  auto* list = new std::vector<Member>();
  list->reserve(members.size());
  for (const auto& [name, value] : members) list->emplace_back(Value(name), value);
  made.store(list);
  made.set_tag(Tag::kObject);
  return made;
}

Value Value::shared(Value value) {
  if (value.is_shared()) return value;
  if (value.tag() == Tag::kArray) {
    auto* content = value.load<std::vector<Value>*>();
    std::vector<Value>* counted = new SharedContent<Value>(std::move(*content));
    delete content;
    value.store(counted);
    value.set_tag(Tag::kArray, 1);
  } else if (value.tag() == Tag::kObject) {
    auto* content = value.load<std::vector<Member>*>();
    std::vector<Member>* counted = new SharedContent<Member>(std::move(*content));
    delete content;
    value.store(counted);
    value.set_tag(Tag::kObject, 1);
  }
  return value;
}

const void* Value::shared_content() const { return is_shared() ? load<const void*>() : nullptr; }

void Value::own_content() {
  if (!is_shared()) return;
  if (tag() == Tag::kArray) {
    auto* content = load<std::vector<Value>*>();
    store(new std::vector<Value>(*content));
    set_tag(Tag::kArray);
    release(content, true);
  } else {
    auto* content = load<std::vector<Member>*>();
    store(new std::vector<Member>(*content));
    set_tag(Tag::kObject);
    release(content, true);
  }
}

Value::Value(const Value& other) {
  if (other.is_shared()) {
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    if (tag() == Tag::kArray) {
      refer(load<std::vector<Value>*>());
    } else {
      refer(load<std::vector<Member>*>());
    }
    return;
  }
  switch (other.tag()) {
    case Tag::kHeap:
      share_text(other.load<const char*>());
      std::memcpy(bytes_, other.bytes_, sizeof bytes_);
      return;
    case Tag::kArray:
      store(new std::vector<Value>(*other.load<std::vector<Value>*>()));
      set_tag(Tag::kArray);
      return;
    case Tag::kObject:
      store(new std::vector<Member>(*other.load<std::vector<Member>*>()));
      set_tag(Tag::kObject);
      return;
    default:
      std::memcpy(bytes_, other.bytes_, sizeof bytes_);
      return;
  }
}

Value::Value(Value&& other) noexcept {
  std::memcpy(bytes_, other.bytes_, sizeof bytes_);
  other.set_tag(Tag::kNull);
}

Value& Value::operator=(const Value& other) {
  if (this != &other) {
    Value copy(other);
    *this = std::move(copy);
  }
  return *this;
}

Value& Value::operator=(Value&& other) noexcept {
  if (this != &other) {
    // The old content dies last: `other` may be part of it.
    Value old(std::move(*this));
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    other.set_tag(Tag::kNull);
  }
  return *this;
}

void Value::clear() noexcept {
  switch (tag()) {
    case Tag::kHeap:
      release_text(load<const char*>());
      break;
    case Tag::kArray:
      release(load<std::vector<Value>*>(), is_shared());
      break;
    case Tag::kObject:
      release(load<std::vector<Member>*>(), is_shared());
      break;
    default:
      break;
  }
  set_tag(Tag::kNull);
}

Value::Kind Value::kind() const {
  switch (tag()) {
    case Tag::kNull:
      return Kind::kNull;
    case Tag::kFalse:
    case Tag::kTrue:
      return Kind::kBool;
    case Tag::kInt:
      return Kind::kInt;
    case Tag::kDouble:
      return Kind::kDouble;
    case Tag::kInline:
    case Tag::kHeap:
    case Tag::kBorrowed:
      return Kind::kString;
    case Tag::kArray:
      return Kind::kArray;
    case Tag::kObject:
      return Kind::kObject;
  }
  return Kind::kNull;
}

bool Value::as_bool(bool otherwise) const {
  if (tag() == Tag::kTrue) return true;
  if (tag() == Tag::kFalse) return false;
  return otherwise;
}

int64_t Value::as_int(int64_t otherwise) const {
  if (tag() == Tag::kInt) return load<int64_t>();
  if (tag() == Tag::kDouble) {
    double number = load<double>();
    if (number >= -9.2e18 && number <= 9.2e18) return static_cast<int64_t>(number);
  }
  return otherwise;
}

double Value::as_double(double otherwise) const {
  if (tag() == Tag::kInt) return static_cast<double>(load<int64_t>());
  if (tag() == Tag::kDouble) return load<double>();
  return otherwise;
}

std::string_view Value::as_string() const {
  switch (tag()) {
    case Tag::kInline:
      return {reinterpret_cast<const char*>(bytes_), static_cast<size_t>(bytes_[15] >> 4)};
    case Tag::kHeap:
    case Tag::kBorrowed: {
      uint32_t length;
      std::memcpy(&length, bytes_ + 8, sizeof length);
      return {load<const char*>(), length};
    }
    default:
      return {};
  }
}

std::span<const Value> Value::items() const {
  if (tag() != Tag::kArray) return {};
  return *load<std::vector<Value>*>();
}

std::vector<Value>& Value::mutable_items() {
  if (tag() == Tag::kNull) *this = array();
  STEAD_CHECK(tag() == Tag::kArray);
  own_content();
  return *load<std::vector<Value>*>();
}

Value& Value::append(Value item) { return mutable_items().emplace_back(std::move(item)); }

std::span<const Member> Value::members() const {
  if (tag() != Tag::kObject) return {};
  return *load<std::vector<Member>*>();
}

std::vector<Member>& Value::mutable_members() {
  if (tag() == Tag::kNull) *this = object();
  STEAD_CHECK(tag() == Tag::kObject);
  own_content();
  return *load<std::vector<Member>*>();
}

size_t Value::size() const {
  if (tag() == Tag::kArray) return load<std::vector<Value>*>()->size();
  if (tag() == Tag::kObject) return load<std::vector<Member>*>()->size();
  return 0;
}

const Value* Value::find(std::string_view name) const {
  for (const Member& member : members()) {
    if (member.name() == name) return &member.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view name) {
  own_content();
  return const_cast<Value*>(std::as_const(*this).find(name));
}

const Value* Value::find(std::initializer_list<std::string_view> path) const {
  const Value* at = this;
  for (std::string_view name : path) {
    at = at->find(name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

const Value& Value::at(std::string_view name) const {
  const Value* found = find(name);
  return found == nullptr ? kNullValue : *found;
}

const Value& Value::at(std::initializer_list<std::string_view> path) const {
  const Value* found = find(path);
  return found == nullptr ? kNullValue : *found;
}

Value& Value::operator[](std::string_view name) {
  if (Value* found = find(name)) return *found;
  return mutable_members().emplace_back(Value(name), Value()).value;
}

void Value::set(std::initializer_list<std::string_view> path, Value value) {
  Value* at = this;
  for (std::string_view name : path) at = &(*at)[name];
  *at = std::move(value);
}

bool Value::erase(std::string_view name) {
  if (tag() != Tag::kObject) return false;
  return std::erase_if(mutable_members(), [&](const Member& member) { return member.name() == name; }) > 0;
}

bool Value::erase(std::initializer_list<std::string_view> path) {
  Value* at = this;
  size_t left = path.size();
  for (std::string_view name : path) {
    if (--left == 0) return at->erase(name);
    at = at->find(name);
    if (at == nullptr) return false;
  }
  return false;
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_shared() && a.shared_content() == b.shared_content()) return true;
  if (a.is_number() && b.is_number()) {
    if (a.is_int() && b.is_int()) return a.as_int() == b.as_int();
    return a.as_double() == b.as_double();
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return a.as_bool() == b.as_bool();
    case Value::Kind::kString:
      return a.as_string() == b.as_string();
    case Value::Kind::kArray: {
      auto left = a.items();
      auto right = b.items();
      return std::equal(left.begin(), left.end(), right.begin(), right.end());
    }
    case Value::Kind::kObject: {
      auto left = a.members();
      auto right = b.members();
      if (left.size() != right.size()) return false;
      for (size_t i = 0; i < left.size(); ++i) {
        // Members mostly stand in the same order on both sides.
        const Value* other = right[i].name() == left[i].name() ? &right[i].value : b.find(left[i].name());
        if (other == nullptr || !(left[i].value == *other)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

size_t Value::heap_bytes() const {
  size_t total = 0;
  if (is_shared()) return 0;
  switch (tag()) {
    case Tag::kHeap:
      return as_string().size();
    case Tag::kArray: {
      auto* list = load<std::vector<Value>*>();
      total = sizeof(std::vector<Value>) + list->capacity() * sizeof(Value);
      for (const Value& item : *list) total += item.heap_bytes();
      return total;
    }
    case Tag::kObject: {
      auto* list = load<std::vector<Member>*>();
      total = sizeof(std::vector<Member>) + list->capacity() * sizeof(Member);
      for (const Member& member : *list) {
        total += member.value.heap_bytes() + (member.name().size() > 15 ? member.name().size() : 0);
      }
      return total;
    }
    default:
      return 0;
  }
}

}  // namespace stead::object
