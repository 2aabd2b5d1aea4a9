#include "node/runtime/cgroup_tree.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <vector>

#include "node/runtime/mount_table.h"

namespace stead::node {

namespace {

namespace fs = std::filesystem;

// The group's directories in all hierarchies, children before parents.
std::vector<std::string> directories_of(const std::string& parent) {
  std::vector<std::string> directories;
  auto mounts = list_mounts();
  if (!mounts.ok()) return directories;
  for (const MountPoint& mount : *mounts) {
    if (mount.type != "cgroup" && mount.type != "cgroup2") continue;
    const fs::path top = mount.path + parent;
    std::error_code error;
    if (!fs::is_directory(top, error)) continue;
    std::vector<std::string> found{top};
    for (auto entry = fs::recursive_directory_iterator(top, error); !error && entry != fs::end(entry);
         entry.increment(error)) {
      std::error_code ignored;
      if (entry->is_directory(ignored)) found.push_back(entry->path());
    }
    directories.insert(directories.end(), found.rbegin(), found.rend());
  }
  return directories;
}

}  // namespace

void kill_cgroup(const std::string& parent) {
  // A process may fork while it is being killed; its child is found by the next round. Each round kills all that
  // was there, so the number of rounds is only a bound.
  for (int round = 0; round < 16; ++round) {
    bool any = false;
    for (const std::string& directory : directories_of(parent)) {
      std::ifstream procs(directory + "/cgroup.procs");
      pid_t pid = 0;
      while (procs >> pid) {
        if (pid > 1 && kill(pid, SIGKILL) == 0) any = true;
      }
    }
    if (!any) return;
    usleep(2000);  // the kernel tells nobody on cgroup v1 when a group becomes empty
  }
}

Result<void> remove_cgroup(const std::string& parent) {
  Result<void> result;
  for (const std::string& directory : directories_of(parent)) {
    for (int attempt = 0; rmdir(directory.c_str()) != 0 && errno != ENOENT; ++attempt) {
      // A killed process leaves its group a moment after its parent saw it die.
      if (errno != EBUSY || attempt == 100) {
        result = errno_error("remove control group " + directory, errno);
        break;
      }
      usleep(2000);
    }
  }
  return result;
}

}  // namespace stead::node
