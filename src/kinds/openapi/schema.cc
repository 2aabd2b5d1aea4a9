#include "kinds/openapi/schema.h"

#include <utility>

#include "kinds/custom/custom_kind.h"
#include "kinds/descriptors.h"

namespace stead::kinds::openapi {

using object::Field;
using object::ListType;
using object::MergeStrategy;
using object::Message;
using object::Type;
using object::TypeRef;

namespace {

Value typed(std::string_view type, std::string_view format = {}) {
  Value schema = Value::object();
  if (!format.empty()) add(schema, "format", Value::borrowed(format));
  add(schema, "type", Value::borrowed(type));
  return schema;
}

Value one_of(std::string_view first, std::string_view second, std::string_view format = {}) {
  Value schema = Value::object();
  if (!format.empty()) add(schema, "format", Value::borrowed(format));
  add(schema, "oneOf", Value::array({typed(first), typed(second)}));
  return schema;
}

Value texts(const std::vector<std::string_view>& values) {
  Value list = Value::array();
  for (std::string_view value : values) list.append(Value::borrowed(value));
  return list;
}

std::string_view strategy_name(MergeStrategy strategy) {
  switch (strategy) {
    case MergeStrategy::kDefault:
      return {};
    case MergeStrategy::kMerge:
      return "merge";
    case MergeStrategy::kReplace:
      return "replace";
    case MergeStrategy::kRetainKeys:
      return "retainKeys";
    case MergeStrategy::kMergeRetainKeys:
      return "merge,retainKeys";
  }
  return {};
}

// What strategic merge and server-side apply need to know of a field.
void add_extensions(Value& schema, const Field& field) {
  if (field.type.type == Type::kList) {
    if (field.list_type == ListType::kMap) {
      add(schema, "x-kubernetes-list-map-keys", texts(field.list_map_keys));
      add(schema, "x-kubernetes-list-type", Value::borrowed("map"));
    } else {
      add(schema, "x-kubernetes-list-type", Value::borrowed(field.list_type == ListType::kSet ? "set" : "atomic"));
    }
  }
  if (field.atomic) add(schema, "x-kubernetes-map-type", Value::borrowed("atomic"));
  if (!field.patch_merge_key.empty()) {
    add(schema, "x-kubernetes-patch-merge-key", Value::borrowed(field.patch_merge_key));
  }
  std::string_view strategy = strategy_name(field.patch_strategy);
  if (!strategy.empty()) add(schema, "x-kubernetes-patch-strategy", Value::borrowed(strategy));
}

}  // namespace

Value reference(std::string_view name, Dialect dialect) {
  std::string target = dialect == Dialect::kV2 ? "#/definitions/" : "#/components/schemas/";
  target += name;
  Value schema = Value::object();
  add(schema, "$ref", Value(target));
  return schema;
}

Value group_version_kind(const Resource& resource, const Version& version) {
  return Value::object({{"group", Value::borrowed(version.group)},
                        {"kind", Value::borrowed(resource.kind)},
                        {"version", Value::borrowed(version.name)}});
}

std::string definition_name(const Message& message) {
  std::string name(message.package);
  name += '.';
  name += message.name;
  return name;
}

void Definitions::add_message(const Message& message) {
  if (seen_.insert(definition_name(message)).second) pending_.push_back(&message);
}

Value Definitions::message_reference(const Message& message) {
  add_message(message);
  return reference(definition_name(message), dialect_);
}

Value Definitions::scalar_reference(std::string_view name, Value schema) {
  if (seen_.emplace(name).second) add(definitions_, name, std::move(schema));
  return reference(name, dialect_);
}

Value Definitions::type_schema(const TypeRef& type, const Field& field) {
  const bool v3 = dialect_ == Dialect::kV3;
  switch (type.type) {
    case Type::kString: {
      Value schema = typed("string");
      if (!field.enum_values.empty()) add(schema, "enum", texts(field.enum_values));
      return schema;
    }
    case Type::kBool:
      return typed("boolean");
    case Type::kInt32:
      return typed("integer", "int32");
    case Type::kInt64:
      return typed("integer", "int64");
    case Type::kDouble:
      return typed("number", "double");
    case Type::kBytes:
      return typed("string", "byte");
    case Type::kTime:
      return scalar_reference("io.k8s.apimachinery.pkg.apis.meta.v1.Time", typed("string", "date-time"));
    case Type::kMicroTime:
      return scalar_reference("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", typed("string", "date-time"));
    case Type::kDuration:
      return scalar_reference("io.k8s.apimachinery.pkg.apis.meta.v1.Duration", typed("string"));
    case Type::kQuantity:
      return scalar_reference("io.k8s.apimachinery.pkg.api.resource.Quantity",
                              v3 ? one_of("string", "number") : typed("string"));
    case Type::kIntOrString:
      return scalar_reference("io.k8s.apimachinery.pkg.util.intstr.IntOrString",
                              v3 ? one_of("integer", "string", "int-or-string") : typed("string", "int-or-string"));
    case Type::kRaw:
      if (field.name == "fieldsV1") {
        return scalar_reference("io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", typed("object"));
      }
      return scalar_reference("io.k8s.apimachinery.pkg.runtime.RawExtension", typed("object"));
    case Type::kMessage:
      return message_reference(*type.message);
    case Type::kList: {
      Value schema = Value::object();
      add(schema, "items", type_schema(*type.element, field));
      add(schema, "type", Value::borrowed("array"));
      return schema;
    }
    case Type::kMap: {
      Value schema = Value::object();
      add(schema, "additionalProperties", type_schema(*type.element, field));
      add(schema, "type", Value::borrowed("object"));
      return schema;
    }
  }
  return Value::object();
}

Value Definitions::field_schema(const Field& field) {
  Value schema = type_schema(field.type, field);
  // OpenAPI 3.0 ignores what stands beside a reference, so that the reference goes into allOf.
  if (dialect_ == Dialect::kV3 && schema.find("$ref") != nullptr) {
    Value wrapped = Value::object();
    add(wrapped, "allOf", Value::array({std::move(schema)}));
    schema = std::move(wrapped);
  }
  if (!field.doc.empty()) add(schema, "description", Value::borrowed(field.doc));
  if (dialect_ == Dialect::kV3 && field.default_value != nullptr) add(schema, "default", *field.default_value);
  add_extensions(schema, field);
  return schema;
}

Value Definitions::message_schema(const Message& message) {
  Value schema = Value::object();
  Value properties = Value::object();
  Value required = Value::array();
  for (const Field& field : message.fields) {
    add(properties, field.name, field_schema(field));
    if (field.required || field.schema_required) required.append(Value::borrowed(field.name));
  }
  if (!message.doc.empty()) add(schema, "description", Value::borrowed(message.doc));
  if (!properties.empty()) add(schema, "properties", std::move(properties));
  if (!required.empty()) add(schema, "required", std::move(required));
  add(schema, "type", Value::borrowed("object"));
  if (message.atomic) add(schema, "x-kubernetes-map-type", Value::borrowed("atomic"));
  return schema;
}

namespace {

void strip_for_v2(Value& schema);

void strip_parts_for_v2(Value& schema) {
  if (Value* properties = schema.find("properties")) {
    for (object::Member& property : properties->mutable_members()) strip_for_v2(property.value);
  }
  for (std::string_view part : {"items", "additionalProperties"}) {
    Value* below = schema.find(part);
    if (below != nullptr && below->is_object()) strip_for_v2(*below);
  }
}

// OpenAPI v2 has no such words, and clients of it take values for null, or for more than is declared, only where
// nothing is said of their type.
void strip_for_v2(Value& schema) {
  const bool nullable = schema.at("nullable").as_bool();
  const bool open = schema.at("x-kubernetes-preserve-unknown-fields").as_bool();
  auto may_be_null = [](const Value& properties, std::string_view name) {
    return properties.at(name).at("nullable").as_bool();
  };
  if (Value* required = schema.find("required"); required != nullptr && required->is_array()) {
    const Value& properties = schema.at("properties");
    std::erase_if(required->mutable_items(),
                  [&](const Value& name) { return may_be_null(properties, name.as_string()); });
    if (required->empty() || may_be_null(schema, "additionalProperties")) schema.erase("required");
  }
  for (std::string_view word : {"nullable", "anyOf", "oneOf", "allOf", "not"}) schema.erase(word);
  if (nullable || open) {
    for (std::string_view word : {"items", "properties"}) schema.erase(word);
    const bool array = schema.at("type").as_string() == "array";
    const bool object = schema.at("type").as_string() == "object";
    if (nullable || array || object) schema.erase("type");
  }
  strip_parts_for_v2(schema);
}

void add_type_fields(Value& properties) {
  Value text = typed("string");
  text.set("description",
           Value::borrowed("APIVersion defines the group and the version that this object is written in."));
  properties.set("apiVersion", text);
  text.set("description", Value::borrowed("Kind is the name of the schema that this object follows."));
  properties.set("kind", text);
}

Value metadata_schema(Value reference, Dialect dialect) {
  // A reference may not have siblings in v3.
  if (dialect == Dialect::kV3) reference = Value::object({{"allOf", Value::array({std::move(reference)})}});
  reference.set("description", Value::borrowed("Standard object's metadata."));
  return reference;
}

}  // namespace

// A schema that a user wrote, with what every object has.
Value Definitions::custom_schema(const CustomKind& kind, const Version& version) {
  Value schema = kind.schema(version);
  const bool v2 = dialect_ == Dialect::kV2;
  // To clients of v2 whatever is declared would be all that there may be.
  if (v2 && schema.at("x-kubernetes-preserve-unknown-fields").as_bool()) return typed("object");
  if (v2) strip_for_v2(schema);
  schema.erase("x-kubernetes-group-version-kind");
  Value& properties = schema["properties"];
  add_type_fields(properties);
  properties.set("metadata", metadata_schema(message_reference(*find_message("meta.v1", "ObjectMeta")), dialect_));
  add_embedded_fields(schema);
  return schema;
}

// What an object inside of another says of itself.
void Definitions::add_embedded_fields(Value& schema) {
  if (Value* properties = schema.find("properties")) {
    for (object::Member& property : properties->mutable_members()) {
      if (property.value.is_object()) add_embedded_fields(property.value);
    }
  }
  for (std::string_view part : {"items", "additionalProperties"}) {
    Value* below = schema.find(part);
    if (below != nullptr && below->is_object()) add_embedded_fields(*below);
  }
  if (!schema.at("x-kubernetes-embedded-resource").as_bool()) return;
  const bool v2 = dialect_ == Dialect::kV2;
  if (v2 && schema.at("x-kubernetes-preserve-unknown-fields").as_bool()) return;
  Value& properties = schema["properties"];
  add_type_fields(properties);
  properties.set("metadata", metadata_schema(message_reference(*find_message("meta.v1", "ObjectMeta")), dialect_));
}

Value Definitions::list_schema(const Resource& resource, const Version& version) {
  Value items = Value::object();
  add(items, "description", Value::borrowed("The objects."));
  add(items, "items", message_reference(*version.message));
  add(items, "type", Value::borrowed("array"));
  Value text = typed("string");
  Value properties = Value::object();
  add(properties, "apiVersion", text);
  add(properties, "items", std::move(items));
  add(properties, "kind", text);
  const Message* list_meta = find_message("meta.v1", "ListMeta");
  if (list_meta != nullptr) add(properties, "metadata", message_reference(*list_meta));
  Value schema = Value::object();
  add(schema, "description", Value("A list of " + std::string(resource.name) + "."));
  add(schema, "properties", std::move(properties));
  add(schema, "required", Value::array({Value::borrowed("items")}));
  add(schema, "type", Value::borrowed("object"));
  Value kind = group_version_kind(resource, version);
  kind.set("kind", Value(std::string(resource.kind) + "List"));
  add(schema, "x-kubernetes-group-version-kind", Value::array({std::move(kind)}));
  return schema;
}

void Definitions::add_kind(const Resource& resource, const Version& version) {
  std::string name = definition_name(*version.message);
  if (seen_.insert(name).second) {
    Value schema = custom_of(resource) != nullptr ? custom_schema(*custom_of(resource), version)
                                                  : message_schema(*version.message);
    add(schema, "x-kubernetes-group-version-kind", Value::array({group_version_kind(resource, version)}));
    definitions_.mutable_members().emplace_back(Value(name), std::move(schema));
  }
  name = list_name(version);
  if (seen_.insert(name).second) {
    definitions_.mutable_members().emplace_back(Value(name), list_schema(resource, version));
  }
}

Value Definitions::take() {
  while (!pending_.empty()) {
    const Message* message = pending_.back();
    pending_.pop_back();
    definitions_.mutable_members().emplace_back(Value(definition_name(*message)), message_schema(*message));
  }
  seen_.clear();
  return std::exchange(definitions_, Value::object());
}

}  // namespace stead::kinds::openapi
