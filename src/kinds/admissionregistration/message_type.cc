#include "kinds/admissionregistration/message_type.h"

#include <fmt/format.h>

namespace stead::kinds {
namespace {

using cel::Type;

Type type_of(const object::TypeRef& type);

class MessageObject final : public cel::ObjectType {
 public:
  explicit MessageObject(const object::Message& message) : message_(message) {}

  // Messages of a CustomResourceDefinition are all called as its kind, and so are taken for the same where they meet.
  std::string name() const override { return fmt::format("{}.{}", message_.package, message_.name); }
  std::optional<Type> field(std::string_view name) const override {
    if (const object::Field* known = message_.find(name)) return type_of(known->type);
    if (message_.open) return Type::dyn();
    return std::nullopt;
  }

 private:
  const object::Message& message_;
};

Type type_of(const object::TypeRef& type) {
  switch (type.type) {
    case object::Type::kString:
    case object::Type::kDuration:
      return Type::string();
    case object::Type::kBool:
      return Type::boolean();
    case object::Type::kInt32:
    case object::Type::kInt64:
      return Type::int64();
    case object::Type::kDouble:
      return Type::float64();
    case object::Type::kBytes:
      return Type::bytes();
    case object::Type::kTime:
    case object::Type::kMicroTime:
      return Type::timestamp();
    case object::Type::kMessage:
      return message_type(*type.message);
    case object::Type::kList:
      return Type::list(type_of(*type.element));
    case object::Type::kMap:
      return Type::map(Type::string(), type_of(*type.element));
    case object::Type::kQuantity:
    case object::Type::kIntOrString:
    case object::Type::kRaw:
      break;
  }
  return Type::dyn();
}

}  // namespace

cel::Type message_type(const object::Message& message) {
  return Type::object(std::make_shared<const MessageObject>(message));
}

}  // namespace stead::kinds
