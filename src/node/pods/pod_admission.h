#pragma once

// Whether the node takes a pod that was assigned to it (Kubernetes' kubelet admission). The scheduler checks room too,
// but pods may come past it (with spec.nodeName) and things change in between. Pure.

#include <optional>
#include <span>
#include <string>

#include "node/node_options.h"
#include "node/pods/pod_shape.h"
#include "object/object.h"

namespace stead::node {

struct PodRefusal {
  std::string reason;   // of the pod's status: "SysctlForbidden", "NodePorts", "OutOfcpu", "OutOfpods" …
  std::string message;  // the event's; the status says "Pod was rejected: " before it
};

// Whether it can be run here at all as it asks to be run. nullopt: it can.
std::optional<PodRefusal> refuse_pod(const PodShape& shape);

// Whether there is room for it. `others`: the pods taken before that may hold something of the node, without `pod`.
// nullopt: there is.
std::optional<PodRefusal> refuse_for_room(const object::Object& pod, std::span<const object::ObjectPtr> others,
                                          const NodeOptions& options);

}  // namespace stead::node
