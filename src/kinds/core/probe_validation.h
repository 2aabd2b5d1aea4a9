#pragma once

// Rules for probes and lifecycle hooks. Pure. `grace_period` is the pod's, null where it is not known.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// livenessProbe, readinessProbe and startupProbe of `container`, as far as there are any.
void validate_probes(const Path& path, const Value& container, const Value& grace_period, FieldErrors& errors);
void validate_lifecycle(const Path& path, const Value& lifecycle, const Value& grace_period, FieldErrors& errors);

}  // namespace stead::kinds
