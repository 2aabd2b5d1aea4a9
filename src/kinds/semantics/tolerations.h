#pragma once

// Taints and tolerations. Pure.

#include "object/value.h"

namespace stead::kinds {

using object::Value;

// Whether one of `tolerations` (spec.tolerations) tolerates `taint`.
bool tolerates(const Value& tolerations, const Value& taint);

}  // namespace stead::kinds
