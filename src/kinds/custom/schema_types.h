#pragma once

// JSON types of what stands in an OpenAPI v3 schema: definitions keep schemas as they came, so that nothing else says
// that "required" is a list.

#include "object/field_error.h"

namespace stead::kinds {

// Adds to `errors` each keyword below `path` whose value is of a type that JSONSchemaProps does not give it. Where it
// adds nothing, what reads the schema may rely on them. Pure.
void check_schema_types(const object::Value& schema, const object::Path& path, object::FieldErrors& errors);

}  // namespace stead::kinds
