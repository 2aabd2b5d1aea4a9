#pragma once

// The PodSecurity plugin: pods, and templates of pods, held against the Pod Security Standards that their namespace's
// labels ask for (KEP-2579). API loop only.

#include <string>
#include <vector>

#include "apiserver/call.h"
#include "cache/cache.h"

namespace stead::apiserver {

// kForbidden for a pod that violates what its namespace enforces, kInvalid for a namespace with unreadable labels; adds
// to `warnings` what violates a level that is only warned about, and which pods would violate a level that a namespace
// now enforces. `old` is null for a new object.
Result<void> check_pod_security(const cache::Cache& cache, const Call& call, const object::Value& document,
                                const object::Value* old, std::vector<std::string>& warnings);

}  // namespace stead::apiserver
