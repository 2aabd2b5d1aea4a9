#pragma once

// Rules for the sources that a PersistentVolume and a pod's volume have in common. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// False where `kind` is not such a source.
bool validate_shared_source(const Path& path, std::string_view kind, const Value& source, FieldErrors& errors);

}  // namespace stead::kinds
