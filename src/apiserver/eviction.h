#pragma once

// POST pods/NAME/eviction: a delete that heeds PodDisruptionBudgets. API loop only.
//
//   pod without budget, or that serves nobody ──────────────────────────▶ deleted
//   pod with one budget ──takes one from status.disruptionsAllowed──▶ deleted     (compare-and-set: no two evictions
//                      └──none left──▶ 429, cause DisruptionBudget                  take the same one)

#include "apiserver/verbs.h"

namespace stead::apiserver {

// The answer is a Status, as kube-apiserver gives it.
void evict_pod(Verbs& verbs, const Catalogue& catalogue, Call call, WallTime now, Callback done);

}  // namespace stead::apiserver
