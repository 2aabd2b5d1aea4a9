#pragma once

// Which resources are measured when they are read instead of stored: metrics.k8s.io.

#include "kinds/registry.h"

namespace stead::kinds {

inline bool is_measured(const Resource& resource) { return resource.group == "metrics.k8s.io"; }

}  // namespace stead::kinds
