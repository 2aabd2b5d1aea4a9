#pragma once

// References to objects of any kind, as backends and class parameters hold them. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// apiGroup, kind and name of a reference.
void validate_object_reference(const Path& path, const Value& reference, FieldErrors& errors);

}  // namespace stead::kinds
