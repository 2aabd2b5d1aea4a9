#pragma once

// What the node part does to files: one place, blocking, called on worker threads only. The disk's form is
// volumes/disk_files.h; simulated nodes use NoFiles, which accepts everything and keeps nothing.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/paths.h"
#include "node/volumes/nfs_mount.h"
#include "node/volumes/volume_policy.h"

namespace stead::node {

class NodeFiles {
 public:
  virtual ~NodeFiles() = default;

  // Makes the pod's directories and volumes, or refreshes them: safe to repeat, unchanged files stay untouched.
  virtual Result<void> set_up(const PodPaths& paths, const std::vector<VolumePlan>& volumes) = 0;
  // Unmounts what is mounted below the pod's directory and removes it, logs included. Never follows a mount.
  virtual Result<void> tear_down(const PodPaths& paths, bool with_logs) = 0;
  virtual Result<void> write_hosts(const PodPaths& paths, const std::string& text) = 0;
  // The log's directory and the termination message file of one instance.
  virtual Result<void> prepare_container(const PodPaths& paths, const std::string& container, uint32_t attempt) = 0;
  // The path to mount for `sub_path` of `volume_path`: made if missing, and proof against symbolic links that lead
  // out of the volume, also against ones exchanged later (CVE-2017-1002101).
  virtual Result<std::string> sub_path(const PodPaths& paths, const std::string& container, size_t mount,
                                       const std::string& volume_path, const std::string& sub_path) = 0;
  // At most 4096 bytes of the termination message; empty if there is none.
  virtual std::string termination_message(const PodPaths& paths, const std::string& container, uint32_t attempt) = 0;
  // The end of the log: 80 lines or 2048 bytes, whichever is less.
  virtual std::string log_end(const PodPaths& paths, const std::string& container, uint32_t attempt) = 0;
  // The size of the instance's current log; 0 if there is none.
  virtual uint64_t log_bytes(const PodPaths& paths, const std::string& container, uint32_t attempt) = 0;
  // Whether there are logs at all, and so anything to rotate.
  virtual bool keeps_logs() const { return true; }
  // Renames the current log, so that the runtime opens a new one, and drops all but the newest `keep` old ones.
  virtual Result<void> rotate_log(const PodPaths& paths, const std::string& container, uint32_t attempt,
                                  size_t keep) = 0;
  // Removes the logs of instances older than `attempt` of the container.
  virtual void drop_logs_before(const PodPaths& paths, const std::string& container, uint32_t attempt) = 0;
  // What the files below a directory of a pod's occupy on the disk. Costs a walk over them.
  virtual uint64_t bytes_below(const std::string& directory) = 0;
  // The host's own /etc/hosts, for pods on its network.
  virtual std::string host_hosts_file() = 0;
  // Uids with a directory under pods/.
  virtual std::vector<std::string> pod_uids() = 0;
};

// `data_dir` exists or can be made. `mounts` serves network file systems; the system's own calls without it.
std::unique_ptr<NodeFiles> make_disk_files(const std::string& data_dir, std::unique_ptr<MountCalls> mounts = nullptr);

class NoFiles : public NodeFiles {
 public:
  Result<void> set_up(const PodPaths&, const std::vector<VolumePlan>&) override { return {}; }
  Result<void> tear_down(const PodPaths&, bool) override { return {}; }
  Result<void> write_hosts(const PodPaths&, const std::string&) override { return {}; }
  Result<void> prepare_container(const PodPaths&, const std::string&, uint32_t) override { return {}; }
  Result<std::string> sub_path(const PodPaths&, const std::string&, size_t, const std::string& volume_path,
                               const std::string& sub_path) override {
    return volume_path + "/" + sub_path;
  }
  std::string termination_message(const PodPaths&, const std::string&, uint32_t) override { return {}; }
  std::string log_end(const PodPaths&, const std::string&, uint32_t) override { return {}; }
  uint64_t log_bytes(const PodPaths&, const std::string&, uint32_t) override { return 0; }
  bool keeps_logs() const override { return false; }
  Result<void> rotate_log(const PodPaths&, const std::string&, uint32_t, size_t) override { return {}; }
  void drop_logs_before(const PodPaths&, const std::string&, uint32_t) override {}
  uint64_t bytes_below(const std::string&) override { return 0; }
  std::string host_hosts_file() override { return {}; }
  std::vector<std::string> pod_uids() override { return {}; }
};

}  // namespace stead::node
