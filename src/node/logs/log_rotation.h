#pragma once

// Keeps container logs within bounds: past 10 MiB the log is renamed and the runtime opens a new one; five files are
// kept per container (kubelet: containerLogMaxSize, containerLogMaxFiles). The kernel tells no sizes, so they are
// looked at every ten seconds, as the kubelet does. Blocks.

#include <string>
#include <vector>

#include "node/node_files.h"
#include "node/runtime/runtime.h"

namespace stead::node {

struct LogOwner {
  PodPaths paths;
  std::string container;
  std::string container_id;
  uint32_t attempt = 0;
};

inline constexpr uint64_t kLogBytesMax = 10 * 1024 * 1024;
inline constexpr size_t kLogFilesMax = 5;

void rotate_logs(NodeFiles& files, ContainerRuntime& runtime, const std::vector<LogOwner>& owners,
                 uint64_t bytes_max = kLogBytesMax);

}  // namespace stead::node
