#include "kinds/custom/schema_types.h"

#include <algorithm>
#include <string>

namespace stead::kinds {
namespace {

using object::FieldErrors;
using object::Member;
using object::Path;
using object::Value;

constexpr int kDepthMax = 100;  // decoders nest no deeper

enum class Form : uint8_t { kText, kNumber, kCount, kFlag, kList, kTexts, kSchema, kSchemas, kNamedSchemas };

struct Keyword {
  std::string_view name;
  Form form;
  std::string_view wanted;
};

constexpr Keyword kKeywords[] = {
    {"$ref", Form::kText, "a string"},
    {"$schema", Form::kText, "a string"},
    {"additionalItems", Form::kSchema, "a schema or a boolean"},
    {"additionalProperties", Form::kSchema, "a schema or a boolean"},
    {"allOf", Form::kSchemas, "a list of schemas"},
    {"anyOf", Form::kSchemas, "a list of schemas"},
    {"definitions", Form::kNamedSchemas, "an object of schemas"},
    {"description", Form::kText, "a string"},
    {"enum", Form::kList, "a list"},
    {"exclusiveMaximum", Form::kFlag, "a boolean"},
    {"exclusiveMinimum", Form::kFlag, "a boolean"},
    {"format", Form::kText, "a string"},
    {"id", Form::kText, "a string"},
    {"items", Form::kSchema, "a schema"},
    {"maxItems", Form::kCount, "an integer"},
    {"maxLength", Form::kCount, "an integer"},
    {"maxProperties", Form::kCount, "an integer"},
    {"maximum", Form::kNumber, "a number"},
    {"minItems", Form::kCount, "an integer"},
    {"minLength", Form::kCount, "an integer"},
    {"minProperties", Form::kCount, "an integer"},
    {"minimum", Form::kNumber, "a number"},
    {"multipleOf", Form::kNumber, "a number"},
    {"not", Form::kSchema, "a schema"},
    {"nullable", Form::kFlag, "a boolean"},
    {"oneOf", Form::kSchemas, "a list of schemas"},
    {"pattern", Form::kText, "a string"},
    {"patternProperties", Form::kNamedSchemas, "an object of schemas"},
    {"properties", Form::kNamedSchemas, "an object of schemas"},
    {"required", Form::kTexts, "a list of strings"},
    {"title", Form::kText, "a string"},
    {"type", Form::kText, "a string"},
    {"uniqueItems", Form::kFlag, "a boolean"},
    {"x-kubernetes-embedded-resource", Form::kFlag, "a boolean"},
    {"x-kubernetes-int-or-string", Form::kFlag, "a boolean"},
    {"x-kubernetes-list-map-keys", Form::kTexts, "a list of strings"},
    {"x-kubernetes-list-type", Form::kText, "a string"},
    {"x-kubernetes-map-type", Form::kText, "a string"},
    {"x-kubernetes-preserve-unknown-fields", Form::kFlag, "a boolean"},
    {"x-kubernetes-validations", Form::kList, "a list"},
};

bool all_of_kind(const Value& value, Value::Kind kind) {
  auto items = value.items();
  return value.is_array() &&
         std::all_of(items.begin(), items.end(), [kind](const Value& item) { return item.kind() == kind; });
}

bool fits(const Value& value, const Keyword& keyword) {
  switch (keyword.form) {
    case Form::kText:
      return value.is_string();
    case Form::kNumber:
      return value.is_number();
    case Form::kCount:
      return value.is_int();
    case Form::kFlag:
      return value.is_bool();
    case Form::kList:
      return value.is_array();
    case Form::kTexts:
      return all_of_kind(value, Value::Kind::kString);
    case Form::kSchema:
      // Lists of items are refused elsewhere, with a text of their own.
      return value.is_object() || (keyword.name == "items" && all_of_kind(value, Value::Kind::kObject)) ||
             (keyword.name.starts_with("additional") && value.is_bool());
    case Form::kSchemas:
      return all_of_kind(value, Value::Kind::kObject);
    case Form::kNamedSchemas: {
      auto members = value.members();
      return value.is_object() &&
             std::all_of(members.begin(), members.end(), [](const Member& member) { return member.value.is_object(); });
    }
  }
  return false;
}

void check_node(const Value& schema, const Path& path, FieldErrors& errors, int depth) {
  if (depth > kDepthMax) return;  // told by the structural rules
  for (const Keyword& keyword : kKeywords) {
    const Value* value = schema.find(keyword.name);
    if (value == nullptr || value->is_null()) continue;
    const Path here = path.child(keyword.name);
    if (!fits(*value, keyword)) {
      errors.invalid(here, *value, "must be " + std::string(keyword.wanted));
      continue;
    }
    if (keyword.form == Form::kSchema && value->is_object()) check_node(*value, here, errors, depth + 1);
    if (keyword.form == Form::kSchemas || keyword.form == Form::kSchema) {
      for (size_t i = 0; i < value->items().size(); ++i) {
        const Path item = here.index(i);
        check_node(value->items()[i], item, errors, depth + 1);
      }
    }
    if (keyword.form == Form::kNamedSchemas) {
      for (const Member& member : value->members()) {
        const Path named = here.key(member.name());
        check_node(member.value, named, errors, depth + 1);
      }
    }
  }
}

}  // namespace

void check_schema_types(const Value& schema, const Path& path, FieldErrors& errors) {
  check_node(schema, path, errors, 0);
}

}  // namespace stead::kinds
