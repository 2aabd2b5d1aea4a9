#pragma once

// Structural schemas (KEP-1979, "Specifying a structural schema"): every value has a type, what defines fields stands
// outside of the logical junctors, and the extensions for lists, maps and embedded objects go with what they are on.
// Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// Adds to `errors` what keeps the openAPIV3Schema of a version from being one.
void check_structural(const Value& schema, const Path& path, FieldErrors& errors);

}  // namespace stead::kinds
