#pragma once

// The Priority admission plugin: a pod's priority and preemption policy come from its PriorityClass, never from its
// author. API loop only.

#include "apiserver/call.h"
#include "cache/cache.h"

namespace stead::apiserver {

// Sets spec.priority and spec.preemptionPolicy of a pod, and spec.priorityClassName where a class is the default.
// kForbidden for a class that does not exist, and for values that are not those of the class.
Result<void> complete_priority(const cache::Cache& cache, object::Value& pod);
// kForbidden for a second default class beside the one that the cluster has.
Result<void> check_priority_class(const cache::Cache& cache, const object::Value& priority_class);

}  // namespace stead::apiserver
