// `stead down` and `stead image import`.

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "app/network_part.h"
#include "app/up.h"
#include "cli/commands.h"
#include "cli/data_dir.h"
#include "node/runtime/containerd_process.h"
#include "node/runtime/image_import.h"

namespace stead::app {
namespace {

constexpr int kEndLimitMs = 30'000;

// Asks the running `stead up` to end and waits until it has.
Result<void> end_running(const cli::DataDir& data_dir) {
  int pid = data_dir.lock_holder();
  if (pid <= 0) return {};
  int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (handle < 0) return {};
  kill(pid, SIGTERM);
  pollfd wait{handle, POLLIN, 0};
  int ended = poll(&wait, 1, kEndLimitMs);
  close(handle);
  if (ended > 0) return {};
  return make_error(Reason::kTimeout, fmt::format("stead up (pid {}) does not end; end it and try again", pid));
}

std::string containerd_socket(const cli::UpOptions& options) {
  return options.containerd_socket.empty() ? node::containerd_socket_path(options.data_dir) : options.containerd_socket;
}

}  // namespace

int run_down(const std::string& path) {
  Result<cli::DataDir> data_dir = cli::DataDir::open(path);
  if (!data_dir.ok()) return cli::fail(data_dir.error().message);
  Result<void> ended = end_running(*data_dir);
  if (!ended.ok()) return cli::fail(ended.error().message);
  // From here on nobody else may start on this directory.
  Result<void> locked = data_dir->lock();
  if (!locked.ok()) return cli::fail(locked.error().message);
  int code = 0;
  auto keep_going = [&code](const Result<void>& result) {
    if (!result.ok()) code = cli::fail(result.error().message);
  };
  keep_going(node::stop_containerd(data_dir->root()));
  for (const Error& error : remove_network(*data_dir)) code = cli::fail(error.message);
  if (code == 0) std::puts("stead: down");
  return code;
}

int run_image_import(const cli::UpOptions& options, const std::string& file) {
  Result<std::vector<std::string>> names = node::import_image(containerd_socket(options), file);
  if (!names.ok()) return cli::fail(names.error().message);
  for (const std::string& name : *names) fmt::print("imported {}\n", name);
  return 0;
}

}  // namespace stead::app
