#pragma once

// Rules for where pods and volumes may go: affinity, node selectors, spread. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

void validate_affinity(const Path& path, const Value& affinity, FieldErrors& errors);
// A NodeSelector: terms of expressions over labels and fields.
void validate_node_selector(const Path& path, const Value& selector, FieldErrors& errors);
void validate_spread_constraints(const Path& path, const Value& constraints, FieldErrors& errors);

}  // namespace stead::kinds
