#pragma once

// Which nodes a DaemonSet's pod belongs on, and the pod for one of them. Pure.

#include <string_view>

#include "client/transport.h"

namespace stead::controllers::daemonset {

using client::ObjectPtr;
using object::Object;
using object::Value;

struct NodeFit {
  bool should_run = false;       // a pod is wanted there
  bool should_continue = false;  // one that runs there may stay
};
NodeFit fit_node(const Object& set, const Object& node);

// The pod of that node: bound by affinity, so that the scheduler checks the node's resources.
Value make_pod(const Object& set, std::string_view node, std::string_view hash);

// The node that a pod runs on or waits for; empty if it has none.
std::string_view node_of(const Object& pod);

}  // namespace stead::controllers::daemonset
