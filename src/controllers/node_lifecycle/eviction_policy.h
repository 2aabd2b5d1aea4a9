#pragma once

// When a node's NoExecute taints end a pod, and what is said of pods that end where nobody can see it. Pure.
//
// A pod that does not tolerate such a taint is deleted at once; one that tolerates it for some seconds, that long after
// the taint was added. Its object stays until its node has confirmed that its containers are dead. While the node
// cannot be reached the pod has the reason NodeLost, so that `kubectl get` shows it as Unknown.

#include <functional>
#include <optional>

#include "base/clock.h"
#include "client/plan.h"
#include "object/object.h"

namespace stead::controllers::eviction {

using object::Object;
using object::ObjectPtr;
using object::Value;

struct Observed {
  ObjectPtr pod;
  ObjectPtr node;  // that it is assigned to
  // When the taint was first seen, for those that do not say when they were added.
  std::function<WallTime(const Value& taint)> seen;
};

client::Plan decide(const Observed& observed, WallTime now);

// Whether the node can matter to its pods at all.
bool concerns_pods(const Object& node);

}  // namespace stead::controllers::eviction
