#pragma once

// Taints and tolerations. Pure.

#include "object/value.h"

namespace stead::kinds {

using object::Value;

// The first of `tolerations` (spec.tolerations) that tolerates `taint`; nullptr if none does. Valid as long as they
// are.
const Value* toleration_of(const Value& tolerations, const Value& taint);
// Whether one of them does.
bool tolerates(const Value& tolerations, const Value& taint);

}  // namespace stead::kinds
