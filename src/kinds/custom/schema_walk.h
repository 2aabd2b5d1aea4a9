#pragma once

// What a structural schema does to a document before it is validated. Schemas are JSON, as in the definition. Pure.

#include "object/codec.h"
#include "object/value.h"

namespace stead::kinds {

// Whether a schema says {"<name>": true}.
bool schema_flag(const object::Value& schema, std::string_view name);

// Takes out members that the schema does not know, telling them as `unknown field "spec.x"`. apiVersion, kind and
// metadata of the root stay.
void prune(object::Value& document, const object::Value& schema, object::StrictErrors* strict);

// Takes out nulls that may not be null, then sets defaults where the parent is there and the member is not.
void default_by_schema(object::Value& document, const object::Value& schema);

}  // namespace stead::kinds
