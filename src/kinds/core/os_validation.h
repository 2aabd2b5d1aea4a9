#pragma once

// Rules for a PodSpec that names its operating system (KEP-2802): nothing is asked of one that only the other has.
// Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

void validate_os(const Path& path, const Value& spec, FieldErrors& errors);

}  // namespace stead::kinds
