#include "cel/type.h"

namespace stead::cel {

struct Type::Details {
  std::vector<Type> parameters;
  std::string name;  // kOpaque, kParameter
  std::shared_ptr<const ObjectType> object;
  ListSemantics semantics = ListSemantics::kAtomic;
  std::vector<std::string> map_keys;
};

namespace {

constexpr std::string_view kNames[] = {"dyn",    "null_type", "bool",  "int",       "uint",
                                       "double", "string",    "bytes", "timestamp", "duration"};

}  // namespace

Type Type::list(Type element, ListSemantics semantics, std::vector<std::string> map_keys) {
  Type type(TypeKind::kList);
  type.details_ = std::make_shared<const Details>(
      Details{.parameters = {std::move(element)}, .semantics = semantics, .map_keys = std::move(map_keys)});
  return type;
}

Type Type::map(Type key, Type value) {
  Type type(TypeKind::kMap);
  type.details_ = std::make_shared<const Details>(Details{.parameters = {std::move(key), std::move(value)}});
  return type;
}

Type Type::object(std::shared_ptr<const ObjectType> object) {
  Type type(TypeKind::kObject);
  type.details_ = std::make_shared<const Details>(Details{.object = std::move(object)});
  return type;
}

Type Type::opaque(std::string_view name) {
  Type type(TypeKind::kOpaque);
  type.details_ = std::make_shared<const Details>(Details{.name = std::string(name)});
  return type;
}

Type Type::optional(Type of) {
  Type type(TypeKind::kOptional);
  type.details_ = std::make_shared<const Details>(Details{.parameters = {std::move(of)}});
  return type;
}

Type Type::type(Type of) {
  Type type(TypeKind::kType);
  type.details_ = std::make_shared<const Details>(Details{.parameters = {std::move(of)}});
  return type;
}

Type Type::parameter(std::string_view name) {
  Type type(TypeKind::kParameter);
  type.details_ = std::make_shared<const Details>(Details{.name = std::string(name)});
  return type;
}

Type Type::parameter(size_t index) const {
  return details_ && index < details_->parameters.size() ? details_->parameters[index] : Type();
}

const ObjectType* Type::object() const { return details_ ? details_->object.get() : nullptr; }

ListSemantics Type::list_semantics() const { return details_ ? details_->semantics : ListSemantics::kAtomic; }

const std::vector<std::string>& Type::list_map_keys() const {
  static const std::vector<std::string> none;
  return details_ ? details_->map_keys : none;
}

std::string_view Type::opaque_name() const { return details_ ? std::string_view(details_->name) : std::string_view(); }

Type Type::with_max_size(uint64_t max_size) const {
  Type type = *this;
  type.max_size_ = max_size;
  return type;
}

std::string Type::name() const {
  switch (kind_) {
    case TypeKind::kList:
      return "list(" + parameter(0).name() + ")";
    case TypeKind::kMap:
      return "map(" + parameter(0).name() + ", " + parameter(1).name() + ")";
    case TypeKind::kObject:
      return object()->name();
    case TypeKind::kOpaque:
    case TypeKind::kParameter:
      return std::string(opaque_name());
    case TypeKind::kOptional:
      return "optional_type(" + parameter(0).name() + ")";
    case TypeKind::kType:
      return parameter(0).is_dyn() ? "type" : "type(" + parameter(0).name() + ")";
    case TypeKind::kError:
      return "!error!";
    case TypeKind::kNull:
      return "null";
    default:
      return std::string(kNames[static_cast<size_t>(kind_)]);
  }
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind_ != b.kind_) return false;
  if (a.details_ == b.details_) return true;
  switch (a.kind_) {
    case TypeKind::kObject:
      return a.object() == b.object() || a.object()->name() == b.object()->name();
    case TypeKind::kOpaque:
    case TypeKind::kParameter:
      return a.opaque_name() == b.opaque_name();
    default:
      return a.parameter(0) == b.parameter(0) && a.parameter(1) == b.parameter(1);
  }
}

}  // namespace stead::cel
