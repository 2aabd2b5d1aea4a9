#pragma once

// The `resize` subresource of pods: CPU and memory of running containers (KEP-1287). Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// Main containers and sidecars; what has run to its end has nothing to resize.
bool is_resizable(std::string_view list, const Value& container);

// Cuts `pod` down to what the subresource takes of it: the resources and resize policies of its containers. Containers
// that were added, taken away, renamed or reordered stay as they are, for validation to refuse.
void narrow_pod_resize(Value& pod, const Value& old);

void validate_pod_resize(const Value& pod, const Value& old, FieldErrors& errors);

}  // namespace stead::kinds
