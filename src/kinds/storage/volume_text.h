#pragma once

// What volumes and claims have in common: access modes and classes, checked and shown. Pure.

#include <string>

#include "kinds/meta/checks.h"

namespace stead::kinds {

void check_access_modes(const Path& path, const Value& modes, FieldErrors& errors);
// "RWO,ROX"
std::string access_modes_text(const Value& modes);
// spec.storageClassName, or the annotation that held it before.
std::string class_text(const Value& document);

}  // namespace stead::kinds
