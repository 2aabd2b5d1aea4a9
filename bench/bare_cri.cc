// What containerd itself needs for a pod: the floor under every pod-start budget (docs, DESIGN 6). A bare CRI client
// runs pods of one container, one after the other, against a private containerd, and prints medians. The process moves
// to a network namespace of its own first. Usage: bare_cri [PODS]

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "node/runtime/containerd_process.h"
#include "node/runtime/cri_runtime_adapter.h"
#include "node/runtime/image_import.h"
#include "node/runtime/pause_image.h"

namespace {

using namespace stead::node;
using Millis = std::chrono::duration<double, std::milli>;

class Stopwatch {
 public:
  void lap(const std::string& name) {
    const auto now = std::chrono::steady_clock::now();
    laps_[name].push_back(Millis(now - last_).count());
    last_ = now;
  }
  void restart() { last_ = std::chrono::steady_clock::now(); }
  void print(const char* name) {
    auto& laps = laps_[name];
    std::sort(laps.begin(), laps.end());
    std::printf("%-18s median %7.1f ms   min %7.1f   max %7.1f   n %zu\n", name, laps[laps.size() / 2], laps.front(),
                laps.back(), laps.size());
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  std::map<std::string, std::vector<double>> laps_;
};

template <class T>
T must(stead::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "bare_cri: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

void enter_network_namespace() {
  if (unshare(CLONE_NEWNET) != 0) {
    std::perror("bare_cri: needs root: unshare");
    std::exit(1);
  }
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::snprintf(request.ifr_name, sizeof request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
}

// The container runs the pause program too: it is there and ends at once when told.
void run_pod(ContainerRuntime& runtime, const ContainerdHandle& handle, const std::string& data_dir, int number,
             Stopwatch& watch) {
  SandboxConfig sandbox;
  sandbox.name = "bench-" + std::to_string(number);
  sandbox.ns = "default";
  sandbox.uid = sandbox.name;
  sandbox.hostname = sandbox.name;
  sandbox.log_directory = data_dir + "/logs/" + sandbox.name;
  sandbox.cgroup_parent = handle.cgroup_parent;
  ContainerConfig container;
  container.name = "main";
  container.image = kPauseImageName;
  container.log_path = "main.log";
  watch.restart();
  const std::string sandbox_id = must(runtime.run_sandbox(sandbox));
  watch.lap("sandbox");
  const std::string id = must(runtime.create_container(sandbox_id, container, sandbox));
  watch.lap("create");
  must(runtime.start_container(id));
  watch.lap("start");
  must(runtime.container_status(id));
  watch.lap("status");
  // Killed, not asked: a program that has hardly begun would miss the request and cost the whole grace period.
  must(runtime.stop_container(id, std::chrono::seconds(0)));
  watch.lap("stop container");
  must(runtime.stop_sandbox(sandbox_id));
  watch.lap("stop sandbox");
  must(runtime.remove_container(id));
  must(runtime.remove_sandbox(sandbox_id));
  watch.lap("remove");
}

}  // namespace

int main(int argc, char** argv) {
  const int pods = argc > 1 ? std::atoi(argv[1]) : 15;
  enter_network_namespace();
  char path[] = "/tmp/stead-bare-cri-XXXXXX";
  const std::string data_dir = mkdtemp(path);
  Stopwatch watch;
  auto handle = must(start_or_adopt_containerd({.data_dir = data_dir, .pod_range = "10.42.0.0/24"}));
  watch.lap("containerd");
  {
    auto runtime = make_cri_runtime(handle.socket_path);
    Stopwatch warm_up;
    run_pod(*runtime, handle, data_dir, 0, warm_up);
    for (int i = 1; i <= pods; ++i) {
      run_pod(*runtime, handle, data_dir, i, watch);
    }
  }
  watch.restart();
  must(stop_containerd(data_dir));
  watch.lap("end");
  std::filesystem::remove_all(data_dir);
  for (const char* name :
       {"containerd", "sandbox", "create", "start", "status", "stop container", "stop sandbox", "remove", "end"}) {
    watch.print(name);
  }
}
