#pragma once

#include "kinds/registry.h"

namespace stead::kinds {

// Bindings to be posted beside pods, as before there was pods/binding.
inline bool is_binding(const Resource& resource) { return resource.group.empty() && resource.name == "bindings"; }

// Whether objects of the kind are only created, never kept: questions, whose status is the answer, and bindings.
inline bool is_review(const Resource& resource) {
  return is_binding(resource) || resource.group == "authentication.k8s.io" || resource.group == "authorization.k8s.io";
}

}  // namespace stead::kinds
