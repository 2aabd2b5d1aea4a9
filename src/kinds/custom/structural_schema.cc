#include "kinds/custom/structural_schema.h"

#include <algorithm>
#include <set>

#include "kinds/custom/list_rules.h"
#include "kinds/custom/schema_validation.h"
#include "kinds/custom/schema_walk.h"

namespace stead::kinds {
namespace {

using object::Member;

constexpr int kSchemaDepthMax = 100;
constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource";
constexpr std::string_view kIntOrString = "x-kubernetes-int-or-string";

enum class Level : uint8_t { kRoot, kItem, kField };

bool has_type(const Value& schema, std::string_view type) { return schema.at("type").as_string() == type; }

// anyOf: [{type: integer}, {type: string}], which says no more than x-kubernetes-int-or-string does.
bool is_int_or_string(const Value& any_of) {
  auto items = any_of.items();
  return items.size() == 2 && items[0].size() == 1 && items[1].size() == 1 && has_type(items[0], "integer") &&
         has_type(items[1], "string");
}

class SchemaCheck {
 public:
  explicit SchemaCheck(FieldErrors& errors) : errors_(errors) {}

  void node(const Value& schema, const Path& path, Level level, int depth) {
    if (depth > kSchemaDepthMax) return errors_.invalid(path, Value("…"), "schemas may not nest deeper than 100");
    check_keywords(schema, path);
    check_type(schema, path, level);
    check_pattern(schema, path);
    check_extensions(schema, path);
    check_list_extensions(schema, path, errors_);
    check_object_fields(schema, path, level);
    check_additional(schema, path, level, depth);
    const Path members = path.child("properties");
    for (const Member& property : schema.at("properties").members()) {
      const Path here = members.key(property.name());
      if (level == Level::kRoot && property.name() == "metadata") {
        check_metadata(property.value, here);
      } else {
        node(property.value, here, Level::kField, depth + 1);
      }
    }
    const Path items = path.child("items");
    const Value& item = schema.at("items");
    if (item.is_array()) errors_.forbidden(items, "items must be a schema object and not an array");
    if (item.is_object()) node(item, items, Level::kItem, depth + 1);
    junctors(schema, schema, path, path, depth);
  }

 private:
  void check_keywords(const Value& schema, const Path& path) {
    for (std::string_view name :
         {"$ref", "id", "additionalItems", "patternProperties", "definitions", "dependencies"}) {
      if (schema.find(name) != nullptr) errors_.forbidden(path.child(name), std::string(name) + " is not supported");
    }
    if (schema_flag(schema, "uniqueItems")) {
      errors_.forbidden(path.child("uniqueItems"),
                        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
    }
  }

  void check_type(const Value& schema, const Path& path, Level level) {
    std::string_view type = schema.at("type").as_string();
    const Path here = path.child("type");
    static constexpr std::string_view kTypes[] = {"array", "boolean", "integer", "number", "object", "string"};
    static constexpr std::string_view kEmbeddedType = "must be object if x-kubernetes-embedded-resource is true";
    if (schema_flag(schema, kEmbedded) && type != "object") {
      if (type.empty()) return errors_.required(here, kEmbeddedType);
      return errors_.invalid(here, schema.at("type"), kEmbeddedType);
    }
    if (type.empty()) {
      if (level == Level::kRoot) return errors_.required(here, "must not be empty at the root");
      if (schema_flag(schema, kIntOrString) || schema_flag(schema, kPreserve)) return;
      return errors_.required(here, level == Level::kItem ? "must not be empty for specified array items"
                                                          : "must not be empty for specified object fields");
    }
    if (level == Level::kRoot && type != "object") {
      return errors_.invalid(here, schema.at("type"), "must be object at the root");
    }
    if (type == "null") return errors_.forbidden(here, "type cannot be set to null");
    if (std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)) {
      errors_.not_supported(here, schema.at("type"), kTypes);
    }
    if (type == "array" && !schema.at("items").is_object() && !schema.at("items").is_array()) {
      errors_.required(path.child("items"), "must be specified");
    }
  }

  void check_pattern(const Value& schema, const Path& path) {
    const Value* pattern = schema.find("pattern");
    if (pattern == nullptr || Patterns().add(pattern->as_string())) return;
    errors_.invalid(path.child("pattern"), *pattern, "must be a valid regular expression");
  }

  void check_extensions(const Value& schema, const Path& path) {
    const Value* preserve = schema.find(kPreserve);
    if (preserve != nullptr && preserve->is_bool() && !preserve->as_bool()) {
      errors_.invalid(path.child(kPreserve), *preserve, "must be true or undefined");
    }
    if (schema_flag(schema, kIntOrString)) {
      for (std::string_view other : {kPreserve, kEmbedded}) {
        if (!schema_flag(schema, other)) continue;
        errors_.invalid(path.child(other), Value(true), "must be false if x-kubernetes-int-or-string is true");
      }
    }
    if (!schema_flag(schema, kEmbedded)) return;
    if (!schema.at("additionalProperties").is_null()) {
      errors_.forbidden(path.child("additionalProperties"),
                        "must not be used if x-kubernetes-embedded-resource is set");
    }
    if (!schema_flag(schema, kPreserve) && schema.at("properties").empty()) {
      errors_.required(path.child("properties"),
                       "must not be empty if x-kubernetes-embedded-resource is true without "
                       "x-kubernetes-preserve-unknown-fields");
    }
  }

  // What every object says of itself.
  void check_object_fields(const Value& schema, const Path& path, Level level) {
    if (level != Level::kRoot && !schema_flag(schema, kEmbedded)) return;
    const Path members = path.child("properties");
    static constexpr std::pair<std::string_view, std::string_view> kFields[] = {
        {"kind", "string"}, {"apiVersion", "string"}, {"metadata", "object"}};
    for (const auto& [name, type] : kFields) {
      const Value* field = schema.at("properties").find(name);
      if (field == nullptr || has_type(*field, type)) continue;
      const Path here = members.key(name);
      errors_.invalid(here.child("type"), field->at("type"), "must be " + std::string(type));
    }
  }

  void check_metadata(const Value& schema, const Path& path) {
    auto allowed = [](const Member& member) { return member.name() == "name" || member.name() == "generateName"; };
    auto members = schema.at("properties").members();
    const bool more = schema_flag(schema, kPreserve) || !schema.at("additionalProperties").is_null();
    if (!more && std::all_of(members.begin(), members.end(), allowed)) return;
    errors_.forbidden(path,
                      "must not specify anything other than name and generateName, but metadata is implicitly "
                      "specified");
  }

  void check_additional(const Value& schema, const Path& path, Level level, int depth) {
    const Value& additional = schema.at("additionalProperties");
    if (additional.is_null()) return;
    const Path here = path.child("additionalProperties");
    if (!schema.at("properties").empty() && !additional.as_bool()) {
      errors_.forbidden(here, "additionalProperties and properties are mutual exclusive");
    }
    if (level == Level::kRoot) errors_.forbidden(here, "must not be used at the root");
    if (additional.is_bool() && !additional.as_bool()) {
      errors_.forbidden(here, "additionalProperties cannot be set to false");
    }
    if (additional.is_object()) node(additional, here, Level::kField, depth + 1);
  }

  // `structure` is what defines the fields of `schema`, which is itself or stands inside of it.
  void junctors(const Value& schema, const Value& structure, const Path& path, const Path& outside, int depth) {
    const bool either = schema_flag(schema, kIntOrString);
    for (std::string_view name : {"allOf", "anyOf", "oneOf"}) {
      if (either && name == "anyOf" && is_int_or_string(schema.at(name))) continue;
      const Path list = path.child(name);
      for (size_t i = 0; i < schema.at(name).size(); ++i) {
        const Value& part = schema.at(name).items()[i];
        if (either && name == "allOf" && i == 0 && is_int_or_string(part.at("anyOf"))) continue;
        const Path here = list.index(i);
        inside_junctor(part, structure, here, outside, depth + 1);
      }
    }
    const Path negated = path.child("not");
    if (schema.at("not").is_object()) inside_junctor(schema.at("not"), structure, negated, outside, depth + 1);
  }

  void check_values_only(const Value& schema, const Path& path) {
    static constexpr std::pair<std::string_view, std::string_view> kForbidden[] = {
        {"type", "must be empty to be structural"},
        {"additionalProperties", "must be undefined to be structural"},
        {"default", "must be undefined to be structural"},
        {"title", "must be empty to be structural"},
        {"description", "must be empty to be structural"},
        {"nullable", "must be false to be structural"},
        {"externalDocs", "must be undefined to be structural"},
        {kPreserve, "must be false to be structural"},
        {kEmbedded, "must be false to be structural"},
        {kIntOrString, "must be false to be structural"},
        {"x-kubernetes-list-map-keys", "must be empty to be structural"},
        {"x-kubernetes-list-type", "must be undefined to be structural"},
        {"x-kubernetes-map-type", "must be undefined to be structural"},
        {"x-kubernetes-validations", "must be empty to be structural"}};
    for (const auto& [name, why] : kForbidden) {
      const Value* found = schema.find(name);
      const bool nothing = found == nullptr || (found->is_bool() && !found->as_bool()) ||
                           (found->is_string() && found->as_string().empty());
      if (!nothing) errors_.forbidden(path.child(name), why);
    }
  }

  void inside_junctor(const Value& schema, const Value& structure, const Path& path, const Path& outside, int depth) {
    if (depth > kSchemaDepthMax) return;
    check_pattern(schema, path);
    check_values_only(schema, path);
    const Path members = path.child("properties");
    const Path outer_members = outside.child("properties");
    for (const Member& property : schema.at("properties").members()) {
      const Path here = members.key(property.name());
      const Path outer = outer_members.key(property.name());
      if (property.name() == "metadata") errors_.forbidden(here, "must not be specified in a nested context");
      const Value* defined = structure.at("properties").find(property.name());
      if (defined == nullptr) {
        errors_.required(outer, "because it is defined in " + here.str());
      } else {
        inside_junctor(property.value, *defined, here, outer, depth + 1);
      }
    }
    if (schema.at("items").is_object()) {
      const Path here = path.child("items");
      const Path outer = outside.child("items");
      if (structure.at("items").is_object()) {
        inside_junctor(schema.at("items"), structure.at("items"), here, outer, depth + 1);
      } else {
        errors_.required(outer, "because it is defined in " + here.str());
      }
    }
    junctors(schema, structure, path, outside, depth);
  }

  FieldErrors& errors_;
};

}  // namespace

void check_structural(const Value& schema, const Path& path, FieldErrors& errors) {
  SchemaCheck(errors).node(schema, path, Level::kRoot, 0);
}

}  // namespace stead::kinds
