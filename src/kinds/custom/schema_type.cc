#include "kinds/custom/schema_type.h"

#include <algorithm>

#include "kinds/custom/schema_walk.h"

namespace stead::kinds {
namespace {

using cel::Type;
using object::Value;

// Of JSON texts, without what surrounds them.
constexpr uint64_t kStringBytesMin = 2;
constexpr uint64_t kBooleanBytesMin = 4;
constexpr uint64_t kDateBytes = 12;
constexpr uint64_t kDateTimeBytesMin = 22;
constexpr uint64_t kTextMax = kRequestBytesMax - 2;
constexpr uint64_t kBytesPerCharacterMax = 4;

uint64_t limit_of(const Value& schema, std::string_view name, uint64_t otherwise) {
  const Value* limit = schema.find(name);
  if (limit == nullptr || !limit->is_int()) return otherwise;
  return limit->as_int() < 0 ? 0 : static_cast<uint64_t>(limit->as_int());
}

class SchemaObject final : public cel::ObjectType {
 public:
  SchemaObject(const Value& schema, bool root, std::string name)
      : schema_(schema), root_(root), name_(std::move(name)) {}

  std::string name() const override { return name_; }

  std::optional<Type> field(std::string_view name) const override {
    if (root_) {
      if (name == "apiVersion" || name == "kind") return Type::string();
      if (name == "metadata") return metadata_type();
    }
    const Value* property = schema_.at("properties").find(name);
    if (property == nullptr) return std::nullopt;
    return schema_type(*property, schema_flag(*property, "x-kubernetes-embedded-resource"),
                       name_ + "." + std::string(name));
  }

 private:
  static Type metadata_type() {
    static const Value kSchema =
        Value::object({{"type", "object"},
                       {"properties", Value::object({{"name", Value::object({{"type", "string"}})},
                                                     {"generateName", Value::object({{"type", "string"}})}})}});
    return *schema_type(kSchema, false, "ObjectMeta");
  }

  const Value& schema_;
  const bool root_;
  const std::string name_;
};

Type text_type(const Value& schema) {
  std::string_view format = schema.at("format").as_string();
  if (format == "byte") return Type::bytes().with_max_size(limit_of(schema, "maxLength", kTextMax));
  if (format == "duration") return Type::duration();
  if (format == "date" || format == "date-time") return Type::timestamp();
  uint64_t longest = kTextMax;
  if (schema.find("maxLength") != nullptr) {
    longest = limit_of(schema, "maxLength", 0) * kBytesPerCharacterMax;
  } else if (!schema.at("enum").empty()) {
    longest = 0;
    for (const Value& one : schema.at("enum").items()) longest = std::max(longest, uint64_t(one.as_string().size()));
  }
  return Type::string().with_max_size(longest);
}

std::optional<Type> list_type(const Value& schema, const std::string& name) {
  const Value& items = schema.at("items");
  if (!items.is_object()) return std::nullopt;
  auto element = schema_type(items, schema_flag(items, "x-kubernetes-embedded-resource"), name + ".@items");
  if (!element) return std::nullopt;
  std::string_view told = schema.at("x-kubernetes-list-type").as_string();
  auto semantics = cel::ListSemantics::kAtomic;
  if (told == "set") semantics = cel::ListSemantics::kSet;
  if (told == "map") semantics = cel::ListSemantics::kMap;
  std::vector<std::string> keys;
  for (const Value& key : schema.at("x-kubernetes-list-map-keys").items()) keys.emplace_back(key.as_string());
  return Type::list(*element, semantics, std::move(keys)).with_max_size(items_max(schema));
}

}  // namespace

std::optional<Type> schema_type(const Value& schema, bool root, const std::string& name) {
  if (schema_flag(schema, "x-kubernetes-int-or-string")) return Type::dyn().with_max_size(kTextMax);
  std::string_view type = schema.at("type").as_string();
  if (type == "string") return text_type(schema);
  if (type == "boolean") return Type::boolean();
  if (type == "integer") return Type::int64();
  if (type == "number") return Type::float64();
  if (type == "array") return list_type(schema, name);
  if (type != "object") return std::nullopt;
  const Value& additional = schema.at("additionalProperties");
  if (!additional.is_object()) return Type::object(std::make_shared<const SchemaObject>(schema, root, name));
  auto value = schema_type(additional, schema_flag(additional, "x-kubernetes-embedded-resource"), name + ".@values");
  if (!value) return std::nullopt;
  return Type::map(Type::string(), *value).with_max_size(properties_max(schema));
}

uint64_t serialized_bytes_min(const Value& schema) {
  if (schema_flag(schema, "x-kubernetes-int-or-string")) return 1;
  std::string_view type = schema.at("type").as_string();
  if (type == "string") {
    std::string_view format = schema.at("format").as_string();
    if (format == "date") return kDateBytes;
    if (format == "date-time") return kDateTimeBytesMin;
    return kStringBytesMin;
  }
  if (type == "boolean") return kBooleanBytesMin;
  if (type == "array") return 2;
  if (type != "object") return 1;
  uint64_t bytes = 2;
  for (const Value& name : schema.at("required").items()) {
    const Value& property = schema.at({"properties", name.as_string()});
    if (property.is_null() || property.find("default") != nullptr) continue;
    bytes += name.as_string().size() + serialized_bytes_min(property) + 4;
  }
  return bytes;
}

uint64_t items_max(const Value& schema) {
  return limit_of(schema, "maxItems", kTextMax / (serialized_bytes_min(schema.at("items")) + 1));
}

uint64_t properties_max(const Value& schema) {
  return limit_of(schema, "maxProperties", kTextMax / (serialized_bytes_min(schema.at("additionalProperties")) + 6));
}

}  // namespace stead::kinds
