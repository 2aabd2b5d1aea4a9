#include "kinds/custom/schema_walk.h"

namespace stead::kinds {
namespace {

using object::Member;
using object::Value;

constexpr size_t kStrictErrorsMax = 100;

bool is_root_member(std::string_view name) { return name == "apiVersion" || name == "kind" || name == "metadata"; }

class Pruner {
 public:
  explicit Pruner(object::StrictErrors* strict) : strict_(strict) {}

  void walk(Value& value, const Value& schema, const std::string& path, bool root) {
    if (value.is_array()) {
      size_t index = 0;
      for (Value& item : value.mutable_items()) {
        walk(item, schema.at("items"), path + "[" + std::to_string(index++) + "]", false);
      }
      return;
    }
    if (!value.is_object()) return;
    root = root || schema_flag(schema, "x-kubernetes-embedded-resource");
    const bool keep_unknown = schema_flag(schema, "x-kubernetes-preserve-unknown-fields");
    const Value& properties = schema.at("properties");
    const Value& additional = schema.at("additionalProperties");
    std::erase_if(value.mutable_members(), [&](Member& member) {
      if (root && is_root_member(member.name())) return false;
      std::string here = path.empty() ? std::string(member.name()) : path + "." + std::string(member.name());
      const Value* known = properties.find(member.name());
      if (known == nullptr && additional.is_object()) known = &additional;
      if (known != nullptr) {
        walk(member.value, *known, here, false);
        return false;
      }
      if (keep_unknown || additional.as_bool()) return false;
      if (strict_ != nullptr && strict_->size() < kStrictErrorsMax) {
        strict_->push_back("unknown field \"" + here + "\"");
      }
      return true;
    });
  }

 private:
  object::StrictErrors* strict_;
};

}  // namespace

bool schema_flag(const Value& schema, std::string_view name) { return schema.at(name).as_bool(); }

void prune(Value& document, const Value& schema, object::StrictErrors* strict) {
  Pruner(strict).walk(document, schema, {}, true);
}

void default_by_schema(Value& value, const Value& schema) {
  if (value.is_array()) {
    const Value& items = schema.at("items");
    if (!items.is_object()) return;
    for (Value& item : value.mutable_items()) default_by_schema(item, items);
    return;
  }
  if (!value.is_object()) return;
  const Value& properties = schema.at("properties");
  const Value& additional = schema.at("additionalProperties");
  auto schema_of = [&](std::string_view name) {
    const Value* known = properties.find(name);
    return known == nullptr && additional.is_object() ? &additional : known;
  };
  std::erase_if(value.mutable_members(), [&](const Member& member) {
    const Value* known = member.value.is_null() ? schema_of(member.name()) : nullptr;
    return known != nullptr && !schema_flag(*known, "nullable");
  });
  for (const Member& property : properties.members()) {
    const Value* wanted = property.value.find("default");
    if (wanted == nullptr) continue;
    if (value.find(property.name()) == nullptr) value.set(property.name(), *wanted);
  }
  for (Member& member : value.mutable_members()) {
    const Value* known = schema_of(member.name());
    if (known != nullptr) default_by_schema(member.value, *known);
  }
}

}  // namespace stead::kinds
