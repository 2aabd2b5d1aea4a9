#include "cel/documents.h"

#include <algorithm>

#include "cel/property_name.h"
#include "cel/times.h"
#include "cel/value_index.h"
#include "object/base64.h"

namespace stead::cel {

namespace {

using Document = object::Value;
// Keeps an owned document alive; null where the caller does.
using Owner = std::shared_ptr<const Document>;

Value read(const Document& document, const Type& type, const Owner& owner);

class DocumentList final : public List {
 public:
  DocumentList(const Document& document, Type type, Owner owner)
      : document_(document), type_(std::move(type)), element_(type_.parameter(0)), owner_(std::move(owner)) {}
  size_t size() const override { return document_.size(); }
  Value at(size_t index) const override { return read(document_.items()[index], element_, owner_); }
  ListSemantics semantics() const override { return type_.list_semantics(); }
  const std::vector<std::string>* map_keys() const override {
    return semantics() == ListSemantics::kMap ? &type_.list_map_keys() : nullptr;
  }

 private:
  const Document& document_;
  Type type_;
  Type element_;
  Owner owner_;
};

// Members of any name, all of one type.
class DocumentMap final : public Map {
 public:
  DocumentMap(const Document& document, Type element, Owner owner)
      : document_(document), element_(std::move(element)), owner_(std::move(owner)) {}
  size_t size() const override { return document_.size(); }
  std::optional<Value> find(const Value& key) const override {
    const Document* member = key.is_string() ? document_.find(key.as_string()) : nullptr;
    if (!member) return std::nullopt;
    return read(*member, element_, owner_);
  }
  std::vector<Value> keys() const override {
    std::vector<Value> keys;
    keys.reserve(document_.size());
    for (const object::Member& member : document_.members()) {
      keys.push_back(owner_ ? Value::string(std::string(member.name())) : Value::borrowed_string(member.name()));
    }
    return keys;
  }

 private:
  const Document& document_;
  Type element_;
  Owner owner_;
};

// Declared fields only.
class DocumentObject final : public Map {
 public:
  DocumentObject(const Document& document, Type type, Owner owner)
      : document_(document), type_(std::move(type)), owner_(std::move(owner)) {}

  size_t size() const override { return keys().size(); }

  std::optional<Value> find(const Value& key) const override {
    return key.is_string() ? field(key.as_string()) : std::nullopt;
  }

  std::optional<Value> field(std::string_view name) const override {
    if (!type_.object()->escaped()) return member(name);
    auto unescaped = unescape_property(name);
    return unescaped ? member(*unescaped) : std::nullopt;
  }

  std::vector<Value> keys() const override {
    std::vector<Value> keys;
    for (const object::Member& member : document_.members()) {
      if (!type_.object()->field(member.name())) continue;
      auto escaped = type_.object()->escaped() ? escape_property(member.name()) : std::string(member.name());
      if (escaped) keys.push_back(Value::string(*std::move(escaped)));
    }
    return keys;
  }

 private:
  std::optional<Value> member(std::string_view name) const {
    const Document* member = document_.find(name);
    auto type = member ? type_.object()->field(name) : std::nullopt;
    if (!type) return std::nullopt;
    return read(*member, *type, owner_);
  }

  const Document& document_;
  Type type_;
  Owner owner_;
};

std::string_view kind_name(const Document& document) {
  switch (document.kind()) {
    case Document::Kind::kNull:
      return "null";
    case Document::Kind::kBool:
      return "bool";
    case Document::Kind::kInt:
      return "int";
    case Document::Kind::kDouble:
      return "double";
    case Document::Kind::kString:
      return "string";
    case Document::Kind::kArray:
      return "list";
    case Document::Kind::kObject:
      return "map";
  }
  return "";
}

Value wrong(const Document& document, const Type& type) {
  return Value::error("invalid data, expected " + type.name() + ", got " + std::string(kind_name(document)));
}

Value text(const Document& document, const Owner& owner) {
  return owner ? Value::string(std::string(document.as_string())) : Value::borrowed_string(document.as_string());
}

Value read_natural(const Document& document, const Owner& owner) {
  switch (document.kind()) {
    case Document::Kind::kNull:
      return Value::null();
    case Document::Kind::kBool:
      return Value::boolean(document.as_bool());
    case Document::Kind::kInt:
      return Value::integer(document.as_int());
    case Document::Kind::kDouble:
      return Value::floating(document.as_double());
    case Document::Kind::kString:
      return text(document, owner);
    case Document::Kind::kArray:
      return Value::list(std::make_shared<const DocumentList>(document, Type::list(Type()), owner));
    case Document::Kind::kObject:
      return Value::map(std::make_shared<const DocumentMap>(document, Type(), owner));
  }
  return Value::null();
}

// Texts that a schema's format makes something else.
Value read_text(const Document& document, const Type& type, const Owner& owner) {
  std::string_view from = document.as_string();
  switch (type.kind()) {
    case TypeKind::kTimestamp: {
      std::string midnight = from.size() == 10 ? std::string(from) + "T00:00:00Z" : std::string(from);  // format: date
      if (auto timestamp = parse_timestamp(midnight)) return Value::timestamp(*timestamp);
      return Value::error("invalid timestamp: " + std::string(from));
    }
    case TypeKind::kDuration:
      if (auto duration = parse_duration(from)) return Value::duration(*duration);
      return Value::error("invalid duration: " + std::string(from));
    case TypeKind::kBytes: {
      auto bytes = object::decode_base64(from);
      return bytes.ok() ? Value::bytes(std::move(bytes).value()) : Value::error(bytes.error().message);
    }
    case TypeKind::kString:
      return text(document, owner);
    default:
      return wrong(document, type);
  }
}

Value read_number(const Document& document, const Type& type) {
  if (type.is(TypeKind::kDouble)) return Value::floating(document.as_double());
  double number = document.as_double();
  bool integral = document.is_int() || number == static_cast<double>(document.as_int());
  if (type.is(TypeKind::kInt) && integral) return Value::integer(document.as_int());
  if (type.is(TypeKind::kUint) && integral && number >= 0) {
    return Value::unsigned_integer(static_cast<uint64_t>(document.as_int()));
  }
  return wrong(document, type);
}

Value read(const Document& document, const Type& type, const Owner& owner) {
  if (type.is_dyn() || document.is_null()) return read_natural(document, owner);
  switch (document.kind()) {
    case Document::Kind::kBool:
      return type.is(TypeKind::kBool) ? Value::boolean(document.as_bool()) : wrong(document, type);
    case Document::Kind::kInt:
    case Document::Kind::kDouble:
      return read_number(document, type);
    case Document::Kind::kString:
      return read_text(document, type, owner);
    case Document::Kind::kArray:
      if (!type.is(TypeKind::kList)) return wrong(document, type);
      return Value::list(std::make_shared<const DocumentList>(document, type, owner));
    default:
      if (type.is(TypeKind::kMap)) {
        return Value::map(std::make_shared<const DocumentMap>(document, type.parameter(1), owner));
      }
      if (!type.is(TypeKind::kObject)) return wrong(document, type);
      return Value::map(std::make_shared<const DocumentObject>(document, type, owner));
  }
}

// The result of `+` on plain lists: nothing is copied, so that adding costs the same for lists of any size.
class ChainedList final : public List {
 public:
  ChainedList(std::shared_ptr<const List> first, std::shared_ptr<const List> second)
      : first_(std::move(first)),
        second_(std::move(second)),
        size_(first_->size() + second_->size()),
        weight_(first_->weight() + second_->weight()) {}
  size_t size() const override { return size_; }
  uint64_t weight() const override { return weight_; }
  Value at(size_t index) const override {
    return index < first_->size() ? first_->at(index) : second_->at(index - first_->size());
  }

 private:
  std::shared_ptr<const List> first_;
  std::shared_ptr<const List> second_;
  size_t size_;
  uint64_t weight_;
};

// The result of `+` on lists with semantics, which keeps them.
class JoinedList final : public List {
 public:
  JoinedList(std::vector<Value> items, std::shared_ptr<const List> like)
      : items_(std::move(items)), like_(std::move(like)) {}
  size_t size() const override { return items_.size(); }
  Value at(size_t index) const override { return items_[index]; }
  ListSemantics semantics() const override { return like_->semantics(); }
  const std::vector<std::string>* map_keys() const override { return like_->map_keys(); }

 private:
  std::vector<Value> items_;
  std::shared_ptr<const List> like_;
};

}  // namespace

Value Value::document(const object::Value& document, const Type& type) { return read(document, type, nullptr); }

Value Value::owned_document(object::Value document, const Type& type) {
  auto owner = std::make_shared<const object::Value>(std::move(document));
  return read(*owner, type, owner);
}

bool same_map_key(const Value& a, const Value& b, const std::vector<std::string>& keys) {
  if (!a.is(ValueKind::kMap) || !b.is(ValueKind::kMap)) return false;
  return std::ranges::all_of(keys, [&](const std::string& key) {
    auto left = a.as_map().find(Value::borrowed_string(key));
    auto right = b.as_map().find(Value::borrowed_string(key));
    return left && right ? left->equals(*right) : !left && !right;
  });
}

bool types_alike(const Type& a, const Type& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is(TypeKind::kObject)) return a == b;
  return a.opaque_name() == b.opaque_name();
}

Value concatenate(const std::shared_ptr<const List>& a, const std::shared_ptr<const List>& b) {
  if (a->semantics() == ListSemantics::kAtomic) {
    if (a->size() == 0) return Value::list(b);
    if (b->size() == 0) return Value::list(a);
    auto chain = std::make_shared<const ChainedList>(a, b);
    return chain->weight() > Value::kWeightMax ? Value::error("list is too large") : Value::list(chain);
  }
  const std::vector<std::string>* keys = a->map_keys();
  auto hash = [&](const Value& item) { return keys ? hash_of_keys(item, *keys) : hash_of(item); };
  std::vector<Value> items;
  items.reserve(a->size() + b->size());
  ValueIndex index;
  for (size_t i = 0; i < a->size(); ++i) {
    items.push_back(a->at(i));
    index.add(hash(items.back()), i);
  }
  for (size_t i = 0; i < b->size(); ++i) {
    Value item = b->at(i);
    auto same = index.find(
        hash(item), [&](size_t at) { return keys ? same_map_key(items[at], item, *keys) : items[at].equals(item); });
    if (same) {
      items[*same] = std::move(item);
    } else {
      index.add(hash(item), items.size());
      items.push_back(std::move(item));
    }
  }
  return Value::list(std::make_shared<const JoinedList>(std::move(items), a));
}

}  // namespace stead::cel
