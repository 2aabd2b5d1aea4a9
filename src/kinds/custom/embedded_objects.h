#pragma once

// Objects inside of custom objects (x-kubernetes-embedded-resource): they have an apiVersion, a kind and metadata as
// any object has. Pure.

#include "kinds/meta/checks.h"
#include "object/codec.h"

namespace stead::kinds {

// Gives their metadata its shape; kBadRequest where it is no metadata. Unknown fields of it go, and are told.
Result<void> shape_embedded(Value& document, const Value& schema, object::StrictErrors* strict);

// Adds to `errors` what is wrong with what they say of themselves.
void validate_embedded(const Value& document, const Value& schema, FieldErrors& errors);

}  // namespace stead::kinds
