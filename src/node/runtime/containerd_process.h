#pragma once

// The private containerd of one data dir. It is a daemon: it outlives stead, because the pods' log pipes end in it,
// and a second start adopts it.
//
//   absent --start--> running --kill -9 of stead, start--> running (adopted)
//   running --kill -9 of containerd--> shims and containers run on --start--> running, in the shims' namespaces
//   any --stop--> absent: nothing of it is left on the machine but images and logs below the data dir
//
// Every function blocks and may be called from any thread; a lock file keeps two processes apart.

#include <sys/types.h>

#include <chrono>
#include <string>

#include "base/result.h"

namespace stead::node {

struct ContainerdOptions {
  std::string data_dir;   // absolute
  std::string pod_range;  // for configure_pod_range(); empty: as it was told before
  int mtu = 1500;
  std::string cni_bin_dir = "/usr/lib/cni";
  std::chrono::milliseconds start_timeout{20'000};
};

struct ContainerdHandle {
  std::string socket_path;
  pid_t pid = 0;
  bool adopted = false;
  // The control group under which every SandboxConfig::cgroup_parent of this instance must be; stop removes it.
  std::string cgroup_parent;
};

// Returns when containerd answers CRI calls and the pause image is there. A running one with another configuration is
// replaced, its containers untouched.
Result<ContainerdHandle> start_or_adopt_containerd(const ContainerdOptions& options);

// Tells the private containerd this node's part of the pod addresses ("10.42.0.0/24") and the MTU of pods' links; both
// are for pods from now on, across restarts. Until it is told for the first time, containerd's network is not ready.
Result<void> configure_pod_range(const std::string& data_dir, const std::string& pod_range, int mtu);

// Where the private containerd of a data dir listens.
std::string containerd_socket_path(const std::string& data_dir);

// Ends all pods, containerd and its shims, and removes what they left: mounts, links, control groups, CNI state.
// Idempotent; works after crashes of either. What could not be ended or removed is the error.
Result<void> stop_containerd(const std::string& data_dir);

}  // namespace stead::node
