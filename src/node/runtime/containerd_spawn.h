#pragma once

// Starts containerd as a daemon in a mount namespace of its own (containerd_layout.h says why). Blocking, any thread.

#include <optional>

#include "base/result.h"
#include "node/runtime/containerd_layout.h"
#include "node/runtime/process_table.h"

namespace stead::node {

// Starts containerd with the written configuration, in a session of its own, its output in the log file. Where `shim`
// names a living shim of an earlier containerd, the new one joins that shim's mount and network namespaces, which hold
// the root file systems of the running containers. Returns once the program runs; it does not listen yet.
Result<ProcessIdentity> spawn_containerd(const ContainerdLayout& layout, const std::optional<ProcessIdentity>& shim);

// Removes /run/containerd and /var/lib/cni if spawn_containerd made them and no containerd has them covered.
void remove_mount_places();

}  // namespace stead::node
