#pragma once

// Whether the node takes a pod that was assigned to it. The scheduler checks the same, but pods may come past it (with
// spec.nodeName) and things change in between (Kubernetes' kubelet admission). Pure.

#include <optional>
#include <span>
#include <string>

#include "node/node_options.h"
#include "object/object.h"

namespace stead::node {

struct Refusal {
  std::string reason;  // of the pod's status: "NodePorts", "OutOfcpu", "OutOfpods" …
  std::string message;
};

// `others`: the pods taken before that may hold something of the node, without `pod`. nullopt: it is taken.
std::optional<Refusal> refuse(const object::Object& pod, std::span<const object::ObjectPtr> others,
                              const NodeOptions& options);

}  // namespace stead::node
