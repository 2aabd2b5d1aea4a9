#pragma once

// ContainerRuntime over CRI v1 (gRPC on a unix socket): containerd, or any runtime that speaks it.

#include <memory>
#include <string>

#include "node/runtime/runtime.h"

namespace stead::node {

// Connects with the first call and reconnects by itself, so a runtime that is not there yet only makes calls fail
// with kUnavailable. Every call has a deadline (kTimeout) and maps gRPC's codes to Reasons.
std::unique_ptr<ContainerRuntime> make_cri_runtime(const std::string& socket_path);

}  // namespace stead::node
