#include "object/codec.h"

namespace stead::object {
namespace {

void default_inside(Value& value, const TypeRef& type) {
  switch (type.type) {
    case Type::kMessage:
      if (value.is_object()) apply_defaults(value, *type.message);
      return;
    case Type::kList:
      if (!value.is_array()) return;
      for (Value& item : value.mutable_items()) default_inside(item, *type.element);
      return;
    case Type::kMap:
      if (!value.is_object()) return;
      for (Member& member : value.mutable_members()) default_inside(member.value, *type.element);
      return;
    default:
      return;
  }
}

}  // namespace

void apply_defaults(Value& value, const Message& message) {
  if (!value.is_object()) return;
  for (const Field& field : message.fields) {
    if (field.default_value == nullptr) continue;
    const Value* present = value.find(field.name);
    if (present != nullptr && !present->is_null()) continue;
    value.erase(field.name);
    value.mutable_members().emplace_back(Value::borrowed(field.name), *field.default_value);
  }
  for (Member& member : value.mutable_members()) {
    if (!member.value.is_object() && !member.value.is_array()) continue;
    if (member.value.shared_content() != nullptr) continue;  // made to its declaration
    if (const Field* field = message.find(member.name())) default_inside(member.value, field->type);
  }
}

}  // namespace stead::object
