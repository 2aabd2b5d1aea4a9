#pragma once

// Which resources are found out when they are read instead of stored: metrics.k8s.io, and how components are.

#include "kinds/registry.h"

namespace stead::kinds {

inline bool is_component_status(const Resource& resource) {
  return resource.group.empty() && resource.name == "componentstatuses";
}

inline bool is_measured(const Resource& resource) {
  return resource.group == "metrics.k8s.io" || is_component_status(resource);
}

}  // namespace stead::kinds
