#pragma once

// How many pods a load needs, from what the pods use and ask for: the algorithm of Kubernetes' documentation,
// "Horizontal Pod Autoscaling". Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "client/transport.h"

namespace stead::controllers::autoscaling {

using client::ObjectPtr;
using object::Value;

// One metric of a resource's use.
struct ResourceTarget {
  std::string resource;                // "cpu", "memory"
  std::string container;               // empty: the sum of all
  std::optional<int64_t> utilization;  // in percent of the requests; else
  int64_t average_milli = 0;           // per pod, in thousandths
};

// Within how much of the target the load may be without anything being done, as a fraction.
struct Tolerance {
  double up = 0.1;
  double down = 0.1;
};

struct ReplicaCount {
  int64_t replicas = 0;
  std::optional<int64_t> utilization;  // what the pods use now, in percent of the requests
  int64_t average_milli = 0;           // and per pod
};

// `pods` are those of the target, `metrics` PodMetrics documents. Pods that are not ready, or of which nothing is
// known, are counted so that they dampen a change. The error says why nothing can be counted.
Result<ReplicaCount> count_replicas(const ResourceTarget& target, Tolerance tolerance, int64_t current,
                                    const std::vector<ObjectPtr>& pods, const std::vector<ObjectPtr>& metrics,
                                    WallTime now);

}  // namespace stead::controllers::autoscaling
