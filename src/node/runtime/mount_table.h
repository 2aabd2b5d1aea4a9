#pragma once

// The mounts that this process sees, from /proc/self/mountinfo. Blocking, any thread.

#include <string>
#include <vector>

#include "base/result.h"

namespace stead::node {

struct MountPoint {
  std::string path;
  std::string type;  // "ext4", "cgroup2" …
  bool shared = false;
};

// In the order of mounting.
Result<std::vector<MountPoint>> list_mounts();
// The same of another process's view ("/proc/<pid>/mountinfo").
Result<std::vector<MountPoint>> list_mounts_of(const std::string& mountinfo_path);

// The mount that `path` (absolute, without links) is on; nullptr where there is none.
const MountPoint* mount_of(const std::vector<MountPoint>& mounts, const std::string& path);

// Makes `directory` a place whose mounts other mount namespaces can see: where its mount is not shared already, it
// becomes a shared mount of itself (unmount_below takes that away again).
Result<void> share_directory(const std::string& directory);

// Unmounts everything at and below `directory`, last mounted first. Idempotent.
Result<void> unmount_below(const std::string& directory);

}  // namespace stead::node
