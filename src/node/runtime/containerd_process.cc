#include "node/runtime/containerd_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/log.h"
#include "node/runtime/cni_config.h"
#include "node/runtime/containerd_config.h"
#include "node/runtime/containerd_instance.h"
#include "node/runtime/containerd_spawn.h"
#include "node/runtime/cri_runtime_adapter.h"
#include "node/runtime/image_import.h"
#include "node/runtime/pause_image.h"

namespace stead::node {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr uintmax_t kLogBytesKept = 1 << 20;
constexpr int kCapSysResource = 24;
// sockaddr_un holds 108 bytes; containerd appends ".ttrpc" to the address for its second socket.
constexpr size_t kSocketPathMax = 100;

bool may_lower_oom_score() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (!line.starts_with("CapEff:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> kCapSysResource & 1) != 0;
  }
  return false;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<void> write_file(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file || rename(fresh.c_str(), path.c_str()) != 0) return errno_error("write " + path, errno);
  return {};
}

Result<void> make_directories(const ContainerdLayout& layout) {
  for (const std::string* path : {&layout.root, &layout.state, &layout.run, &layout.cni_conf, &layout.cni_ipam,
                                  &layout.cni_results, &layout.pods}) {
    std::error_code error;
    fs::create_directories(*path, error);
    if (error) return make_error(Reason::kInternal, fmt::format("create {}: {}", *path, error.message()));
  }
  // Containers with users of their own reach their root file systems through these.
  for (const std::string* path : {&layout.base, &layout.root, &layout.state, &layout.run}) chmod(path->c_str(), 0711);
  return {};
}

void rotate_log(const std::string& path) {
  std::error_code error;
  if (fs::file_size(path, error) > kLogBytesKept && !error) fs::rename(path, path + ".1", error);
}

bool answers(const std::string& socket_path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

// What became of the log since `offset`, for an error's text: its last line.
std::string last_log_line(const std::string& path, uintmax_t offset) {
  std::ifstream file(path);
  file.seekg(static_cast<std::streamoff>(offset));
  std::string line, last;
  while (std::getline(file, line)) {
    if (!line.empty()) last = line;
  }
  return last.substr(0, 500);
}

// Sleeps until containerd makes its socket, or dies, or time is over.
Result<void> wait_for_socket(const ContainerdLayout& layout, const ProcessIdentity& process, SteadyTime deadline,
                             uintmax_t log_offset) {
  const int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0));
  inotify_add_watch(watch, layout.base.c_str(), IN_CREATE | IN_ATTRIB);
  Result<void> result;
  while (!answers(layout.socket)) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd fds[] = {{watch, POLLIN, 0}, {pidfd, POLLIN, 0}};
    if (left.count() <= 0 || poll(fds, 2, static_cast<int>(left.count())) == 0) {
      result = make_error(Reason::kTimeout, "containerd does not listen on " + layout.socket);
      break;
    }
    if (pidfd < 0 || fds[1].revents != 0) {
      result = make_error(Reason::kInternal, fmt::format("containerd ended: {} (see {})",
                                                         last_log_line(layout.log, log_offset), layout.log));
      break;
    }
    char events[4096];
    (void)!read(watch, events, sizeof events);
  }
  close(watch);
  if (pidfd >= 0) close(pidfd);
  return result;
}

// containerd listens before its CRI part has read back what it knows, and announces that nowhere.
Result<void> wait_for_cri(ContainerRuntime& runtime, SteadyTime deadline) {
  for (milliseconds wait{2};; wait = std::min(wait * 2, milliseconds(50))) {
    auto images = runtime.list_images();
    if (images.ok()) return {};
    if (std::chrono::steady_clock::now() > deadline) return images.error().with_context("containerd's CRI service");
    std::this_thread::sleep_for(wait);
  }
}

Result<void> ensure_pause_image(ContainerRuntime& runtime, const std::string& socket_path) {
  STEAD_TRY(present, runtime.image_status(kPauseImageName));
  if (present) return {};
  STEAD_TRY_VOID(import_image_bytes(socket_path, pause_image_archive()));
  return {};
}

struct WrittenConfig {
  bool changed = false;
};

Result<WrittenConfig> write_config(const ContainerdLayout& layout, const ContainerdOptions& options) {
  const std::string config = containerd_config(layout, {.cni_bin_dir = options.cni_bin_dir,
                                                        .sandbox_image = kPauseImageName,
                                                        .restrict_oom_score_adj = !may_lower_oom_score()});
  WrittenConfig written{.changed = read_file(layout.config) != config};
  STEAD_TRY_VOID(write_file(layout.config, config));
  return written;
}

Result<ProcessIdentity> spawn_and_wait(const ContainerdLayout& layout, SteadyTime deadline) {
  rotate_log(layout.log);
  std::error_code error;
  uintmax_t log_offset = fs::file_size(layout.log, error);
  if (error) log_offset = 0;
  unlink(layout.socket.c_str());
  const auto shims = find_shims(layout);
  STEAD_TRY(process, spawn_containerd(layout, shims.empty() ? std::nullopt : std::optional(shims.front())));
  STEAD_TRY_VOID(write_pid_file(layout, process));
  STEAD_TRY_VOID(wait_for_socket(layout, process, deadline, log_offset));
  return process;
}

}  // namespace

Result<ProcessIdentity> start_containerd_process(const ContainerdLayout& layout, milliseconds timeout) {
  return spawn_and_wait(layout, std::chrono::steady_clock::now() + timeout);
}

Result<void> configure_pod_range(const std::string& data_dir, const std::string& pod_range, int mtu) {
  const ContainerdLayout layout(data_dir);
  STEAD_TRY_VOID(make_directories(layout));
  const std::string conflist = cni_conflist({.pod_range = pod_range, .mtu = mtu, .ipam_data_dir = layout.cni_ipam});
  // containerd follows this folder itself: a new pod range needs no restart.
  const std::string path = layout.cni_conf + "/10-stead.conflist";
  return read_file(path) == conflist ? Result<void>() : write_file(path, conflist);
}

std::string containerd_socket_path(const std::string& data_dir) { return ContainerdLayout(data_dir).socket; }

Result<ContainerdHandle> start_or_adopt_containerd(const ContainerdOptions& options) {
  const ContainerdLayout layout(options.data_dir);
  if (!options.data_dir.starts_with('/')) {
    return make_error(Reason::kBadRequest, fmt::format("data dir \"{}\" is not absolute", options.data_dir));
  }
  if (layout.socket.size() > kSocketPathMax) {
    return make_error(Reason::kBadRequest, fmt::format("data dir \"{}\" is too long: the socket {} would pass {} bytes",
                                                       options.data_dir, layout.socket, kSocketPathMax));
  }
  const SteadyTime deadline = std::chrono::steady_clock::now() + options.start_timeout;
  STEAD_TRY_VOID(make_directories(layout));
  STEAD_TRY(lock, lock_instance(layout));
  STEAD_TRY(written, write_config(layout, options));
  if (!options.pod_range.empty()) {
    STEAD_TRY_VOID(configure_pod_range(options.data_dir, options.pod_range, options.mtu));
  }
  ContainerdHandle handle{.socket_path = layout.socket, .cgroup_parent = cgroup_parent_of(options.data_dir)};
  std::optional<ProcessIdentity> running = find_containerd(layout);
  if (running && (written.changed || !answers(layout.socket))) {
    end_process(*running);
    running.reset();
  }
  handle.adopted = running.has_value();
  if (!running) {
    STEAD_TRY(process, spawn_and_wait(layout, deadline));
    running = process;
  }
  handle.pid = running->pid;
  auto runtime = make_cri_runtime(layout.socket);
  STEAD_TRY_VOID(wait_for_cri(*runtime, deadline));
  STEAD_TRY_VOID(ensure_pause_image(*runtime, layout.socket));
  return handle;
}

}  // namespace stead::node
