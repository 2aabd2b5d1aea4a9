#include "kinds/custom/embedded_objects.h"

#include "kinds/custom/schema_walk.h"
#include "kinds/descriptors.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/metadata.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

using object::Member;

// The schema of a member; nullptr: nothing is said of it.
const Value* schema_of(const Value& schema, std::string_view name) {
  const Value* known = schema.at("properties").find(name);
  const Value& additional = schema.at("additionalProperties");
  return known == nullptr && additional.is_object() ? &additional : known;
}

bool is_embedded(const Value& schema) { return schema_flag(schema, "x-kubernetes-embedded-resource"); }

Result<void> shape_metadata(Value& metadata, const std::string& path, object::StrictErrors* strict) {
  object::StrictErrors own;
  Result<void> shaped = object::shape(metadata, *find_message("meta.v1", "ObjectMeta"), &own);
  if (!shaped.ok()) return shaped.error().with_context(path);
  if (strict == nullptr) return {};
  for (std::string& told : own) {
    // `unknown field "x"` is of this metadata.
    const size_t quote = told.find('"');
    if (quote != std::string::npos) told.insert(quote + 1, path + ".");
    strict->push_back(std::move(told));
  }
  return {};
}

Result<void> shape_below(Value& value, const Value& schema, const std::string& path, object::StrictErrors* strict) {
  if (value.is_array()) {
    if (!schema.at("items").is_object()) return {};
    size_t index = 0;
    for (Value& item : value.mutable_items()) {
      STEAD_TRY_VOID(shape_below(item, schema.at("items"), path + "[" + std::to_string(index++) + "]", strict));
    }
    return {};
  }
  if (!value.is_object()) return {};
  for (Member& member : value.mutable_members()) {
    std::string here = path.empty() ? std::string(member.name()) : path + "." + std::string(member.name());
    if (member.name() == "metadata" && is_embedded(schema)) {
      STEAD_TRY_VOID(shape_metadata(member.value, here, strict));
    } else if (const Value* known = schema_of(schema, member.name())) {
      STEAD_TRY_VOID(shape_below(member.value, *known, here, strict));
    }
  }
  return {};
}

void check_type_fields(const Value& value, const Path& path, FieldErrors& errors) {
  for (std::string_view name : {"apiVersion", "kind"}) {
    const Value* told = value.find(name);
    const Path at = path.child(name);
    if (told == nullptr) {
      errors.required(at, "must not be empty");
    } else if (!told->is_string()) {
      errors.invalid(at, *told, "must be a string");
    }
  }
  std::string_view version = value.at("apiVersion").as_string();
  if (const size_t slash = version.find('/');
      slash != std::string_view::npos && version.find('/', slash + 1) != std::string_view::npos) {
    errors.invalid(path.child("apiVersion"), value.at("apiVersion"),
                   "unexpected GroupVersion string: " + std::string(version));
  }
  const Value& kind = value.at("kind");
  if (kind.is_string()) {
    check(path.child("kind"), kind, object::check_format("dns1035Label", lower(kind.as_string())), errors);
  }
}

void check_embedded(const Value& value, const Path& path, FieldErrors& errors) {
  check_type_fields(value, path, errors);
  const Value& metadata = value.at("metadata");
  const Path at = path.child("metadata");
  if (const Value* name = metadata.find("name"); name != nullptr && !name->as_string().empty()) {
    check(at.child("name"), *name, object::check_format("dns1123Subdomain", name->as_string()), errors);
  }
  check_labels(at.child("labels"), metadata.at("labels"), errors);
  check_annotations(at.child("annotations"), metadata.at("annotations"), errors);
}

void check_below(const Value& value, const Value& schema, const Path& path, bool root, FieldErrors& errors) {
  if (value.is_array()) {
    if (!schema.at("items").is_object()) return;
    size_t index = 0;
    for (const Value& item : value.items()) check_below(item, schema.at("items"), path.index(index++), false, errors);
    return;
  }
  if (!value.is_object()) return;
  if (!root && is_embedded(schema)) check_embedded(value, path, errors);
  for (const Member& member : value.members()) {
    const Value* known = schema_of(schema, member.name());
    if (known == nullptr || (root && member.name() == "metadata")) continue;
    const Path here =
        schema.at("properties").find(member.name()) != nullptr ? path.child(member.name()) : path.key(member.name());
    check_below(member.value, *known, here, false, errors);
  }
}

}  // namespace

Result<void> shape_embedded(Value& document, const Value& schema, object::StrictErrors* strict) {
  return shape_below(document, schema, {}, strict);
}

void validate_embedded(const Value& document, const Value& schema, FieldErrors& errors) {
  check_below(document, schema, Path(), true, errors);
}

}  // namespace stead::kinds
