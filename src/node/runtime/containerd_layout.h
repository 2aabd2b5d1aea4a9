#pragma once

// Where the private containerd keeps what it has, below the data dir:
//
//   <data-dir>/containerd/
//     config.toml, containerd.log[.1], pid, lock
//     containerd.sock          its socket
//     root/                    images, snapshots, the database
//     state/                   sandboxes, network namespaces, runc's state
//     run/                     seen by containerd and its shims as /run/containerd (shim sockets)
//     cni/conf/10-stead.conflist
//     cni/ipam/                host-local's allocations
//     cni/results/             seen by containerd as /var/lib/cni (libcni's cache)
//   <data-dir>/pods/           volumes: mounts made below it are seen by stead, containerd and containers alike
//
// containerd 1.6 has the two paths of `run` and `results` built in. It therefore gets a mount namespace of its own
// where these directories of the data dir cover them; its mounts (root file systems, network namespaces) live
// and die with that namespace, and the machine's own mount table never sees them.

#include <string>

namespace stead::node {

struct ContainerdLayout {
  explicit ContainerdLayout(const std::string& data_dir)
      : base(data_dir + "/containerd"),
        config(base + "/config.toml"),
        log(base + "/containerd.log"),
        pid(base + "/pid"),
        lock(base + "/lock"),
        socket(base + "/containerd.sock"),
        root(base + "/root"),
        state(base + "/state"),
        run(base + "/run"),
        cni_conf(base + "/cni/conf"),
        cni_ipam(base + "/cni/ipam"),
        cni_results(base + "/cni/results"),
        pods(data_dir + "/pods") {}

  std::string base, config, log, pid, lock, socket, root, state, run, cni_conf, cni_ipam, cni_results, pods;
};

inline constexpr char kBuiltInRunPath[] = "/run/containerd";
inline constexpr char kBuiltInCniPath[] = "/var/lib/cni";

// The control group below which all pods of the instance at `data_dir` run: "/stead-<eight digits of its hash>".
std::string cgroup_parent_of(const std::string& data_dir);

}  // namespace stead::node
