#include "node/runtime/containerd_instance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace stead::node {

namespace {

constexpr std::chrono::milliseconds kEndTimeout{5000};

bool runs_with(const std::vector<std::string>& words, const std::string& config) {
  return !words.empty() && words[0].ends_with("containerd") &&
         std::find(words.begin(), words.end(), config) != words.end();
}

}  // namespace

std::string cgroup_parent_of(const std::string& data_dir) {
  uint32_t hash = 2166136261U;  // FNV-1a
  for (unsigned char c : data_dir) hash = (hash ^ c) * 16777619U;
  return fmt::format("/stead-{:08x}", hash);
}

Result<std::shared_ptr<void>> lock_instance(const ContainerdLayout& layout) {
  const int fd = open(layout.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error(layout.lock, errno);
  while (flock(fd, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    close(fd);
    return errno_error("lock " + layout.lock, error);
  }
  return std::shared_ptr<void>(nullptr, [fd](void*) { close(fd); });
}

Result<void> write_pid_file(const ContainerdLayout& layout, const ProcessIdentity& process) {
  std::ofstream file(layout.pid, std::ios::trunc);
  file << process.pid << ' ' << process.start_ticks << '\n';
  file.close();
  if (!file) return errno_error("write " + layout.pid, errno);
  return {};
}

std::optional<ProcessIdentity> find_containerd(const ContainerdLayout& layout) {
  std::ifstream file(layout.pid);
  ProcessIdentity written;
  if (file >> written.pid >> written.start_ticks && identify_process(written.pid) == written &&
      runs_with(command_line_of(written.pid), layout.config)) {
    return written;
  }
  // stead may have died between starting it and writing the file.
  const auto found = find_processes([&](const auto& words) { return runs_with(words, layout.config); });
  return found.empty() ? std::nullopt : std::optional(found.front());
}

std::vector<ProcessIdentity> find_shims(const ContainerdLayout& layout) {
  return find_processes([&](const std::vector<std::string>& words) {
    return !words.empty() && words[0].find("containerd-shim") != std::string::npos &&
           std::find(words.begin(), words.end(), layout.socket) != words.end();
  });
}

void end_process(const ProcessIdentity& process) {
  signal_process(process, SIGTERM);
  if (wait_for_end(process, kEndTimeout)) return;
  signal_process(process, SIGKILL);
  (void)wait_for_end(process, kEndTimeout);
}

}  // namespace stead::node
