#pragma once

// Rules for security contexts of pods and containers. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// `spec` is the PodSpec, which holds the host namespaces that contexts depend on.
void validate_pod_security(const Path& path, const Value& context, const Value& spec, FieldErrors& errors);
void validate_container_security(const Path& path, const Value& context, const Value& spec, FieldErrors& errors);

}  // namespace stead::kinds
