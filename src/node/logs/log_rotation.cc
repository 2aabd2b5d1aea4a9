#include "node/logs/log_rotation.h"

#include "base/log.h"

namespace stead::node {

void rotate_logs(NodeFiles& files, ContainerRuntime& runtime, const std::vector<LogOwner>& owners, uint64_t bytes_max) {
  for (const LogOwner& owner : owners) {
    if (files.log_bytes(owner.paths, owner.container, owner.attempt) < bytes_max) continue;
    // The current file is one of the files kept.
    auto rotated = files.rotate_log(owner.paths, owner.container, owner.attempt, kLogFilesMax - 1);
    if (rotated.ok()) rotated = runtime.reopen_log(owner.container_id);
    if (!rotated.ok()) log::warning("node", "log of container {}: {}", owner.container, rotated.error().message);
  }
}

}  // namespace stead::node
