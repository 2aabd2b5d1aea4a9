#pragma once

#include "kinds/registry.h"

namespace stead::kinds {

// Whether objects of the kind are questions: created only, never kept, the answer in their status.
inline bool is_review(const Resource& resource) {
  return resource.group == "authentication.k8s.io" || resource.group == "authorization.k8s.io";
}

}  // namespace stead::kinds
