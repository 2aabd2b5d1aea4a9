#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "base/log.h"
#include "node/runtime/cgroup_tree.h"
#include "node/runtime/containerd_instance.h"
#include "node/runtime/containerd_process.h"
#include "node/runtime/containerd_spawn.h"
#include "node/runtime/cri_runtime_adapter.h"
#include "node/runtime/mount_table.h"

namespace stead::node {

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr size_t kThreadsMax = 8;
constexpr milliseconds kStartTimeout{20'000};
constexpr milliseconds kShimEndTimeout{5'000};

// Asks containerd to end every pod, so that CNI takes back addresses and port rules. Failures are left to the force
// that follows.
void remove_sandboxes(const std::string& socket_path) {
  auto runtime = make_cri_runtime(socket_path);
  auto sandboxes = runtime->list_sandboxes();
  for (int attempt = 0; !sandboxes.ok() && attempt < 100; ++attempt) {  // its CRI part may just be starting
    std::this_thread::sleep_for(milliseconds(20));
    sandboxes = runtime->list_sandboxes();
  }
  if (!sandboxes.ok()) {
    log::warning("runtime", "listing pods to end: {}", sandboxes.error().message);
    return;
  }
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < sandboxes->size(); i = next++) {
      const std::string& id = (*sandboxes)[i].id;
      auto stopped = runtime->stop_sandbox(id);
      auto removed = stopped.ok() ? runtime->remove_sandbox(id) : stopped;
      if (!removed.ok()) log::warning("runtime", "ending pod {}: {}", (*sandboxes)[i].name, removed.error().message);
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(kThreadsMax, sandboxes->size()); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}

void kill_shims(const ContainerdLayout& layout) {
  const auto shims = find_shims(layout);
  for (const ProcessIdentity& shim : shims) signal_process(shim, SIGKILL);
  for (const ProcessIdentity& shim : shims) (void)wait_for_end(shim, kShimEndTimeout);
}

void remove_run_state(const ContainerdLayout& layout) {
  for (const std::string* path : {&layout.state, &layout.run, &layout.cni_results, &layout.cni_ipam, &layout.pid}) {
    std::error_code ignored;
    fs::remove_all(*path, ignored);
  }
  for (const std::string& path : {layout.socket, layout.socket + ".ttrpc"}) {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
}

}  // namespace

Result<void> stop_containerd(const std::string& data_dir) {
  const ContainerdLayout layout(data_dir);
  std::error_code error;
  if (!fs::is_directory(layout.base, error)) return {};
  STEAD_TRY(lock, lock_instance(layout));
  std::optional<ProcessIdentity> running = find_containerd(layout);
  if (!running && !find_shims(layout).empty()) {
    auto started = start_containerd_process(layout, kStartTimeout);
    if (started.ok()) running = *started;
    if (!started.ok()) log::warning("runtime", "{}", started.error().message);
  }
  if (running) {
    remove_sandboxes(layout.socket);
    end_process(*running);
  }
  const std::string cgroup = cgroup_parent_of(data_dir);
  kill_shims(layout);
  kill_cgroup(cgroup);
  Result<void> unmounted = unmount_below(layout.pods);
  Result<void> unmounted_base = unmount_below(layout.base);
  Result<void> ungrouped = remove_cgroup(cgroup);
  remove_run_state(layout);
  remove_mount_places();
  for (const Result<void>& result : {unmounted, unmounted_base, ungrouped}) {
    if (!result.ok()) return result;
  }
  return {};
}

}  // namespace stead::node
