#pragma once

// What nodes may not do with what they may write at all (the NodeRestriction admission plugin): a node touches only its
// own Node, Lease and CSINode, only pods that are assigned to it, and asks for tokens only for those. API loop only.

#include "apiserver/call.h"
#include "cache/cache.h"
#include "object/value.h"

namespace stead::apiserver {

class NodeRestriction {
 public:
  // `cache` outlives this.
  explicit NodeRestriction(const cache::Cache& cache) : cache_(cache) {}

  // Callers who are no nodes pass all of them. kForbidden, and kConflict where a token is bound to a pod of before.
  Result<void> admit_create(const Call& call, const object::Value& document) const;
  Result<void> admit_update(const Call& call, const object::Value& document, const object::Value& old) const;
  Result<void> admit_delete(const Call& call) const;
  Result<void> admit_eviction(const Call& call) const;
  // `request` is the TokenRequest.
  Result<void> admit_token(const Call& call, const object::Value& request) const;

 private:
  object::ObjectPtr pod_of(const Call& call) const;

  const cache::Cache& cache_;
};

}  // namespace stead::apiserver
