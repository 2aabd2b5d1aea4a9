#pragma once

// Which pods go first when there are too many (KEPs 2255 for the cost annotation, 2185 for logarithmic ages). Pure.
//
// In this order: without a node; Pending, Unknown, Running; not ready; lower
// controller.kubernetes.io/pod-deletion-cost; more pods of the same owner on the node; ready for a shorter time; more
// restarts; younger. Ages are compared by powers of two, and equal ones by UID, so that the choice among pods of about
// one age is arbitrary.

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/transport.h"

namespace stead::controllers::replicaset {

using client::ObjectPtr;

// Sorts `pods`, the first to go first. `related` counts related pods by node.
void sort_for_scale_down(std::vector<ObjectPtr>& pods, const std::map<std::string, int64_t>& related, WallTime now);

}  // namespace stead::controllers::replicaset
