#pragma once

// The node part's layout on disk. Pods are named by uid, so that a name used again never meets its predecessor's
// files; logs carry the name too, for people and for log collectors.
//
//   <data-dir>/
//     pods/<uid>/
//       etc-hosts                            mounted at /etc/hosts
//       volumes/<volume>/                    emptyDir, configMap, secret, downwardAPI, projected
//       subpaths/<container>/<n>             bind mounts of subPath, made safe against symlinks
//       containers/<container>/<attempt>     termination message
//     pod-logs/<namespace>_<name>_<uid>/
//       <container>/<attempt>.log            CRI format; rotated to <attempt>.log.<time>

#include <cstdint>
#include <string>

namespace stead::node {

struct PodPaths {
  std::string directory;      // <data-dir>/pods/<uid>
  std::string log_directory;  // <data-dir>/pod-logs/<namespace>_<name>_<uid>

  PodPaths() = default;
  PodPaths(const std::string& data_dir, const std::string& ns, const std::string& name, const std::string& uid)
      : directory(data_dir + "/pods/" + uid), log_directory(data_dir + "/pod-logs/" + ns + "_" + name + "_" + uid) {}

  std::string hosts_file() const { return directory + "/etc-hosts"; }
  std::string volume(const std::string& volume_name) const { return directory + "/volumes/" + volume_name; }
  std::string sub_path(const std::string& container, size_t mount) const {
    return directory + "/subpaths/" + container + "/" + std::to_string(mount);
  }
  std::string termination_message(const std::string& container, uint32_t attempt) const {
    return directory + "/containers/" + container + "/" + std::to_string(attempt);
  }
  // Relative to log_directory, as CRI wants it.
  static std::string log_path(const std::string& container, uint32_t attempt) {
    return container + "/" + std::to_string(attempt) + ".log";
  }
  std::string log_file(const std::string& container, uint32_t attempt) const {
    return log_directory + "/" + log_path(container, attempt);
  }
};

}  // namespace stead::node
