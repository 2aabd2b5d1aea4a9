#include "kinds/custom/list_rules.h"

#include <algorithm>
#include <set>
#include <string>

#include "kinds/custom/schema_walk.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kListType = "x-kubernetes-list-type";
constexpr std::string_view kMapKeys = "x-kubernetes-list-map-keys";
constexpr std::string_view kMapType = "x-kubernetes-map-type";

void check_type(const Value& schema, const Path& path, std::string_view type, std::string_view why,
                FieldErrors& errors) {
  std::string_view actual = schema.at("type").as_string();
  const Path here = path.child("type");
  if (actual.empty()) return errors.required(here, why);
  if (actual != type) errors.invalid(here, schema.at("type"), why);
}

bool is_required(const Value& item, std::string_view name) {
  auto required = item.at("required").items();
  return std::any_of(required.begin(), required.end(), [&](const Value& one) { return one.as_string() == name; });
}

void check_key(const Value& item, std::string_view key, const Path& items, FieldErrors& errors) {
  const Value& property = item.at({"properties", key});
  const Path properties = items.child("properties");
  const Path at = properties.key(key);
  std::string_view type = property.at("type").as_string();
  if (type == "array" || type == "object") {
    errors.invalid(at.child("type"), property.at("type"),
                   "must be a scalar type if parent array's x-kubernetes-list-type is map");
  }
  if (!is_required(item, key) && property.find("default") == nullptr) {
    errors.required(at.child("default"),
                    "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required "
                    "property");
  }
  if (schema_flag(property, "nullable")) {
    errors.forbidden(at.child("nullable"), "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
  }
}

void check_keyed(const Value& schema, const Path& path, FieldErrors& errors) {
  const Value& keys = schema.at(kMapKeys);
  const Path at = path.child(kMapKeys);
  const Path items = path.child("items");
  const Value& item = schema.at("items");
  if (keys.empty()) errors.required(at, "must not be empty if x-kubernetes-list-type is map");
  if (!item.is_object()) return errors.required(items, "must have a schema if x-kubernetes-list-type is map");
  if (item.at("type").as_string() != "object") {
    return errors.invalid(items.child("type"), item.at("type"),
                          "must be object if parent array's x-kubernetes-list-type is map");
  }
  std::set<std::string_view> seen;
  for (const Value& key : keys.items()) {
    if (item.at({"properties", key.as_string()}).is_null()) {
      errors.invalid(at, keys, "entries must all be names of item properties");
    } else {
      check_key(item, key.as_string(), items, errors);
    }
    if (!seen.insert(key.as_string()).second) errors.invalid(at, keys, "must not contain duplicate entries");
  }
}

// What is compared as a whole must be changed as a whole.
void check_set(const Value& schema, const Path& path, FieldErrors& errors) {
  const Value& item = schema.at("items");
  const Path items = path.child("items");
  if (schema_flag(item, "nullable")) {
    errors.forbidden(items.child("nullable"), "cannot be nullable when x-kubernetes-list-type is set");
  }
  std::string_view type = item.at("type").as_string();
  if (type != "object" && type != "array") return;
  std::string_view name = type == "object" ? kMapType : kListType;
  static constexpr std::string_view kWhy = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const Value* kind = item.find(name);
  // Lists that say nothing are atomic, maps are not.
  if (kind == nullptr && type == "object") return errors.required(items.child(name), kWhy);
  if (kind != nullptr && kind->as_string() != "atomic") errors.invalid(items.child(name), *kind, kWhy);
}

}  // namespace

void check_list_extensions(const Value& schema, const Path& path, FieldErrors& errors) {
  if (const Value* map = schema.find(kMapType)) {
    static constexpr std::string_view kMaps[] = {"atomic", "granular"};
    check_type(schema, path, "object", "must be object if x-kubernetes-map-type is specified", errors);
    if (std::find(std::begin(kMaps), std::end(kMaps), map->as_string()) == std::end(kMaps)) {
      errors.not_supported(path.child(kMapType), *map, kMaps);
    }
  }
  const Value* list = schema.find(kListType);
  const Path at = path.child(kListType);
  static constexpr std::string_view kKeyed = "must be map if x-kubernetes-list-map-keys is non-empty";
  const bool keyed = !schema.at(kMapKeys).empty();
  if (list == nullptr) {
    if (keyed) errors.required(at, kKeyed);
    return;
  }
  check_type(schema, path, "array", "must be array if x-kubernetes-list-type is specified", errors);
  static constexpr std::string_view kLists[] = {"atomic", "map", "set"};
  if (std::find(std::begin(kLists), std::end(kLists), list->as_string()) == std::end(kLists)) {
    return errors.not_supported(at, *list, kLists);
  }
  if (keyed && list->as_string() != "map") errors.invalid(at, *list, kKeyed);
  if (list->as_string() == "map") check_keyed(schema, path, errors);
  if (list->as_string() == "set") check_set(schema, path, errors);
}

}  // namespace stead::kinds
