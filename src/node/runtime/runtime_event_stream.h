#pragma once

// Follows a runtime's events on two threads of its own and calls a handler for what concerns containers and
// sandboxes.
//
//   source:  containerd's event service --unimplemented--> CRI's GetContainerEvents --unimplemented--> a tick each
//   second
//
// containerd publishes a task's exit before its CRI part has recorded it, so an exit is told only once `settled` says
// that CRI reports it, or after two seconds. Included by .cc files only.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "node/runtime/runtime.h"

namespace stead::node {

struct RuntimeEventHooks {
  std::function<void(RuntimeEvent)> handler;
  // Whether CRI has caught up with the end of container or sandbox `id`.
  std::function<bool(const std::string& id)> settled;
  // Which sandbox and container an id of containerd's means.
  std::function<RuntimeEvent(const std::string& id)> resolve;
};

// Runs until the returned object dies; its destructor ends the call in progress and joins the threads, so it must not
// run on one of them. The handler is called from one thread at a time.
std::shared_ptr<void> follow_runtime_events(std::shared_ptr<grpc::Channel> channel, RuntimeEventHooks hooks);

}  // namespace stead::node
