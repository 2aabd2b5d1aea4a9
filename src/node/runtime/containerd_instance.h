#pragma once

// Which processes belong to the containerd of a data dir, and the lock that keeps starters and stoppers apart.
// Internal to this folder.

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "node/runtime/containerd_layout.h"
#include "node/runtime/process_table.h"

namespace stead::node {

// Held while the object lives; waits for another holder. Ends with the process.
Result<std::shared_ptr<void>> lock_instance(const ContainerdLayout& layout);

Result<void> write_pid_file(const ContainerdLayout& layout, const ProcessIdentity& process);

// The containerd that runs with this layout's configuration.
std::optional<ProcessIdentity> find_containerd(const ContainerdLayout& layout);

// Its shims: they name its socket in their command line.
std::vector<ProcessIdentity> find_shims(const ContainerdLayout& layout);

// SIGTERM, SIGKILL after five seconds; returns when it is gone.
void end_process(const ProcessIdentity& process);

// Starts containerd with the configuration written before and waits until it listens. Defined in
// containerd_process.cc; the lock must be held.
Result<ProcessIdentity> start_containerd_process(const ContainerdLayout& layout, std::chrono::milliseconds timeout);

}  // namespace stead::node
