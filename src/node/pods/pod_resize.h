#pragma once

// In-place resize of pods (KEP-1287): what was allocated to the containers, whether a change of it fits the node, and
// what a change means for a container that runs. Pure.
//
//   spec changed ─▶ pending: Deferred (no room now), Infeasible (never) ─▶ granted: allocated ─▶ in progress ─▶ done
//
// The pod's status in the API is the record of what was allocated: it is read back after a restart of the node part.

#include <optional>
#include <string>

#include "kinds/semantics/pod_requests.h"
#include "node/pods/pod_shape.h"

namespace stead::node {

// What the status says of a resize; the generations are those of the spec that the words are about.
struct ResizeState {
  std::string pending_reason;  // "Deferred", "Infeasible"; empty: nothing is pending
  std::string pending_message;
  int64_t pending_generation = 0;
  bool in_progress = false;
  int64_t in_progress_generation = 0;
  std::string error;  // why it does not get on
};

bool is_resizable(ContainerKind kind);
// The same CPU and memory.
bool same_resources(const object::Value& a, const object::Value& b);

// `shape` was read anew: what `before` had allocated stays allocated, whatever the spec asks for now.
void keep_allocation(PodShape& shape, const PodShape& before);
// The same from the pod's status, at the start of the node part.
void recall_allocation(PodShape& shape);
// Whether some container asks for something else than it was allocated.
bool wants_resize(const PodShape& shape);
// What it asks for is allocated from now on.
void allocate_wanted(PodShape& shape);

// What a pod takes of the node by its allocation, and what it would take.
kinds::Resources allocated_requests(const PodShape& shape);
kinds::Resources wanted_requests(const PodShape& shape);

struct ResizeVerdict {
  std::string reason;  // empty: it fits; else as ResizeState::pending_reason
  std::string message;
};
// `others`: what the other pods were allocated.
ResizeVerdict judge_resize(const kinds::Resources& wanted, const kinds::Resources& allocated,
                           const kinds::Resources& others, const kinds::Resources& allocatable);
// Whether `a` is tried before `b`: those that ask for less, then by priority, then Guaranteed ones.
bool resizes_before(const PodShape& a, const PodShape& b);

// Whether a container that has `actual` is started again to get what was allocated (resizePolicy).
bool resize_restarts(const ContainerShape& container, const object::Value& actual);

// `<what>: {"containers":[…],"generation":…}`: the text of the events.
std::string resize_message(std::string_view what, const PodShape& shape, int64_t generation, const std::string& error);

}  // namespace stead::node
