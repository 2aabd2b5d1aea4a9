// The private containerd, the CRI adapter and image import against the real programs. The process moves to fresh
// network and mount namespaces before anything else, so nothing it starts can reach another machine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>

#include "node/runtime/cgroup_tree.h"
#include "node/runtime/containerd_layout.h"
#include "node/runtime/containerd_process.h"
#include "node/runtime/cri_runtime_adapter.h"
#include "node/runtime/image_archive.h"
#include "node/runtime/image_import.h"
#include "node/runtime/mount_table.h"
#include "node/runtime/process_table.h"
#include "node/runtime/tar_archive.h"

namespace stead::node {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// In a state: other containerds run on the machine.
constexpr char kOthersToo[] = "others";

// What the machine shows of containers: compared before and after.
std::set<std::string> machine_state(const std::string& data_dir) {
  std::set<std::string> state;
  const auto mounts = list_mounts();
  for (const MountPoint& mount : *mounts) {
    state.insert("mount " + mount.path);
    if (!mount.type.starts_with("cgroup")) continue;
    for (const auto& entry : fs::directory_iterator(mount.path)) {
      // Other instances on the machine have groups of their own.
      const std::string name = entry.path();
      if (!name.ends_with(cgroup_parent_of(data_dir)) && name.find("/stead-") != std::string::npos) continue;
      if (entry.is_directory()) state.insert("cgroup " + name);
    }
  }
  struct if_nameindex* links = if_nameindex();
  for (auto* link = links; link->if_index != 0; ++link) state.insert(std::string("link ") + link->if_name);
  if_freenameindex(links);
  for (const ProcessIdentity& process : find_processes([&](const std::vector<std::string>& words) {
         return std::any_of(words.begin(), words.end(),
                            [&](const std::string& word) { return word.find(data_dir) != std::string::npos; });
       })) {
    state.insert("process " + std::to_string(process.pid));
  }
  const bool alone = find_processes([](const std::vector<std::string>& words) {
                       return !words.empty() && words[0].ends_with("/containerd");
                     }).empty();
  if (!alone) state.insert(kOthersToo);
  for (const char* path : {kBuiltInRunPath, kBuiltInCniPath}) {
    if (alone && fs::exists(path)) state.insert(std::string("path ") + path);
  }
  return state;
}

// A docker-archive of the machine's static busybox, named `name`.
std::string busybox_archive(const std::string& name) {
  std::string layer;
  append_tar_entry(layer, "bin", '5', 0755, "");
  append_tar_entry(layer, "tmp", '5', 01777, "");
  append_tar_entry(layer, "bin/busybox", '0', 0755, read_file("/bin/busybox"));
  end_tar(layer);
  const std::string config =
      R"({"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["/bin/busybox","sh"]},)"
      R"("rootfs":{"type":"layers","diff_ids":[")" +
      sha256_digest(layer) + R"("]}})";
  std::string archive;
  append_tar_entry(archive, "config.json", '0', 0644, config);
  append_tar_entry(archive, "layer.tar", '0', 0644, layer);
  append_tar_entry(archive, "manifest.json", '0', 0644,
                   R"([{"Config":"config.json","RepoTags":[")" + name + R"("],"Layers":["layer.tar"]}])");
  end_tar(archive);
  return archive;
}

class Events {
 public:
  void add(const RuntimeEvent& event) {
    std::lock_guard lock(mutex_);
    seen_.push_back(event);
    changed_.notify_all();
  }
  // The empty event that follows every connection.
  bool wait_for_connections(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(10), [&] {
      return static_cast<size_t>(std::count_if(seen_.begin(), seen_.end(), [](const auto& e) {
               return e.container_id.empty() && e.sandbox_id.empty();
             })) >= count;
    });
  }
  bool wait_for(const std::string& container_id) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(10), [&] {
      return std::any_of(seen_.begin(), seen_.end(), [&](const auto& e) { return e.container_id == container_id; });
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<RuntimeEvent> seen_;
};

class ContainerdTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || !fs::exists("/usr/bin/containerd") || !fs::exists("/bin/busybox")) {
      GTEST_SKIP() << "SKIPPED: needs root, containerd and busybox-static";
    }
    char path[] = "/tmp/stead-containers-XXXXXX";
    data_dir_ = mkdtemp(path);
    before_ = machine_state(data_dir_);
  }

  void TearDown() override {
    if (data_dir_.empty()) return;
    watch_.reset();
    runtime_.reset();
    const Result<void> stopped = stop_containerd(data_dir_);
    EXPECT_TRUE(stopped.ok()) << stopped.error().message;
    EXPECT_TRUE(stop_containerd(data_dir_).ok()) << "stopping is idempotent";
    std::set<std::string> after = machine_state(data_dir_);
    // The empty mount points may be an earlier, killed instance's: the one that ends last takes them away. Nothing is
    // said of them where another instance ran before or after.
    const bool alone = !before_.contains(kOthersToo) && !after.contains(kOthersToo);
    std::erase_if(before_, [&](const std::string& entry) {
      return entry == kOthersToo || (entry.starts_with("path ") && (!alone || !after.contains(entry)));
    });
    std::erase_if(
        after, [&](const std::string& entry) { return entry == kOthersToo || (!alone && entry.starts_with("path ")); });
    EXPECT_THAT(after, testing::ContainerEq(before_));
    if (HasFailure()) std::cerr << read_file(data_dir_ + "/containerd/containerd.log") << '\n';
    fs::remove_all(data_dir_);
    EXPECT_FALSE(fs::exists(data_dir_));
  }

  ContainerdHandle start() {
    const auto begin = std::chrono::steady_clock::now();
    auto handle = start_or_adopt_containerd({.data_dir = data_dir_, .pod_range = "10.42.0.0/24"});
    EXPECT_TRUE(handle.ok()) << handle.error().message;
    if (!handle.ok()) return {};
    std::cerr << "containerd " << (handle->adopted ? "adopted" : "started") << " in "
              << std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin).count() << " ms\n";
    runtime_ = make_cri_runtime(handle->socket_path);
    return *handle;
  }

  SandboxConfig sandbox_config(const ContainerdHandle& handle, const std::string& name) {
    SandboxConfig config;
    config.name = name;
    config.ns = "default";
    config.uid = "uid-" + name;
    config.hostname = name;
    config.log_directory = data_dir_ + "/logs";
    config.dns_servers = {"10.43.0.10"};
    config.cgroup_parent = handle.cgroup_parent;
    return config;
  }

  ContainerConfig shell(const std::string& name, const std::string& script) {
    ContainerConfig config;
    config.name = name;
    config.image = "busybox:latest";
    config.command = {"/bin/busybox", "sh", "-c", script};
    config.log_path = name + ".log";
    return config;
  }

  std::string run(const SandboxConfig& sandbox, const std::string& sandbox_id, const ContainerConfig& config) {
    auto id = runtime_->create_container(sandbox_id, config, sandbox);
    EXPECT_TRUE(id.ok()) << id.error().message;
    auto started = runtime_->start_container(*id);
    EXPECT_TRUE(started.ok()) << started.error().message;
    return *id;
  }

  std::string data_dir_;
  std::set<std::string> before_;
  std::unique_ptr<ContainerRuntime> runtime_;
  std::shared_ptr<void> watch_;
};

TEST_F(ContainerdTest, PodRunsFromAnImportedImageAndLeavesNothing) {
  const ContainerdHandle handle = start();
  ASSERT_THAT(runtime_->version().value(), testing::StartsWith("containerd://"));
  EXPECT_EQ(runtime_->not_ready_reason().value(), "");
  auto names = import_image_bytes(handle.socket_path, busybox_archive("busybox"));
  ASSERT_TRUE(names.ok()) << names.error().message;
  EXPECT_THAT(*names, testing::ElementsAre("docker.io/library/busybox:latest"));
  ASSERT_TRUE(runtime_->image_status("busybox").value().has_value());
  EXPECT_FALSE(runtime_->image_status("redis").value().has_value());

  Events events;
  watch_ = runtime_->watch_events([&](const RuntimeEvent& event) { events.add(event); });
  const SandboxConfig sandbox = sandbox_config(handle, "web-0");
  const auto sandbox_id = runtime_->run_sandbox(sandbox);
  ASSERT_TRUE(sandbox_id.ok()) << sandbox_id.error().message;
  EXPECT_THAT(runtime_->sandbox_status(*sandbox_id)->ip, testing::StartsWith("10.42.0."));

  const std::string id = run(sandbox, *sandbox_id, shell("main", "echo hello; exec busybox sleep 1000"));
  const ExecResult exec = runtime_->exec_sync(id, {"busybox", "hostname"}, seconds(5)).value();
  EXPECT_EQ(exec.exit_code, 0);
  EXPECT_EQ(exec.output, "web-0\n");
  const ExecResult failed = runtime_->exec_sync(id, {"busybox", "sh", "-c", "exit 7"}, seconds(5)).value();
  EXPECT_EQ(failed.exit_code, 7);
  EXPECT_TRUE(runtime_->exec_sync(id, {"busybox", "sleep", "60"}, seconds(1)).value().timed_out);
  EXPECT_THAT(runtime_->exec_sync(id, {"busybox", "ps"}, seconds(5)).value().output,
              testing::Not(testing::HasSubstr("sleep 60")))
      << "a command that ran out of time is killed";
  EXPECT_THAT(runtime_->exec_url(id, {"busybox"}, false, false, true, true).value(),
              testing::StartsWith("http://127.0.0.1:"));

  const std::string once = run(sandbox, *sandbox_id, shell("once", "exit 3"));
  ASSERT_TRUE(events.wait_for(once));
  const ContainerStatus status = runtime_->container_status(once).value();
  EXPECT_EQ(status.state, ContainerState::kExited);
  EXPECT_EQ(status.exit_code, 3);
  EXPECT_EQ(status.sandbox_id, *sandbox_id);
  EXPECT_THAT(read_file(data_dir_ + "/logs/main.log"), testing::HasSubstr("stdout F hello\n"));

  EXPECT_TRUE(runtime_->stop_container(id, seconds(0)).ok());
  EXPECT_EQ(runtime_->container_status(id)->exit_code, 137);
  EXPECT_TRUE(runtime_->stop_sandbox(*sandbox_id).ok());
  EXPECT_TRUE(runtime_->remove_sandbox(*sandbox_id).ok());
  EXPECT_EQ(runtime_->container_status(id).error().reason, Reason::kNotFound);
}

TEST_F(ContainerdTest, RunningPodsSurviveContainerdAndAreEndedByStop) {
  const ContainerdHandle first = start();
  ASSERT_TRUE(import_image_bytes(first.socket_path, busybox_archive("busybox")).ok());
  const SandboxConfig sandbox = sandbox_config(first, "web-0");
  const std::string sandbox_id = runtime_->run_sandbox(sandbox).value();
  const std::string id = run(sandbox, sandbox_id, shell("main", "exec busybox sleep 1000"));

  auto follower = make_cri_runtime(first.socket_path);
  Events events;
  watch_ = follower->watch_events([&](const RuntimeEvent& event) { events.add(event); });
  ASSERT_TRUE(events.wait_for_connections(1));

  const ContainerdHandle adopted = start();
  EXPECT_TRUE(adopted.adopted);
  EXPECT_EQ(adopted.pid, first.pid);

  const ProcessIdentity process = *identify_process(first.pid);
  signal_process(process, SIGKILL);
  ASSERT_TRUE(wait_for_end(process, seconds(5)));
  EXPECT_EQ(runtime_->list_containers().error().reason, Reason::kUnavailable);
  const ContainerdHandle second = start();
  EXPECT_FALSE(second.adopted);
  EXPECT_EQ(runtime_->container_status(id)->state, ContainerState::kRunning);
  EXPECT_EQ(runtime_->exec_sync(id, {"busybox", "hostname"}, seconds(5)).value().output, "web-0\n");

  EXPECT_TRUE(events.wait_for_connections(2));
  const std::string once = run(sandbox, sandbox_id, shell("once", "exit 0"));
  EXPECT_TRUE(events.wait_for(once));
  watch_.reset();

  // Volumes mounted on the machine after containerd's start are seen by containers.
  const std::string volume = data_dir_ + "/pods/volume";
  fs::create_directories(volume);
  ASSERT_EQ(mount("tmpfs", volume.c_str(), "tmpfs", 0, "size=1m"), 0);
  std::ofstream(volume + "/file") << "content";
  ContainerConfig reader = shell("reader", "busybox cat /volume/file; exec busybox sleep 1000");
  reader.mounts.push_back({.host_path = volume, .container_path = "/volume"});
  const std::string reader_id = run(sandbox, sandbox_id, reader);
  EXPECT_EQ(runtime_->exec_sync(reader_id, {"busybox", "cat", "/volume/file"}, seconds(5)).value().output, "content");

  // The pod, its containers and the volume's mount are left to stop_containerd, and containerd is dead again.
  const ProcessIdentity again = *identify_process(second.pid);
  signal_process(again, SIGKILL);
  ASSERT_TRUE(wait_for_end(again, seconds(5)));
}

TEST_F(ContainerdTest, InstancesLiveSideBySide) {
  const ContainerdHandle first = start();
  const std::string other_dir = data_dir_ + "-other";
  const auto second = start_or_adopt_containerd({.data_dir = other_dir, .pod_range = "10.42.1.0/24"});
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_NE(second->pid, first.pid);
  auto other = make_cri_runtime(second->socket_path);
  const SandboxConfig config = sandbox_config(first, "web-0");
  SandboxConfig other_config = config;
  other_config.cgroup_parent = second->cgroup_parent;
  const std::string id = runtime_->run_sandbox(config).value();
  EXPECT_THAT(other->sandbox_status(other->run_sandbox(other_config).value())->ip, testing::StartsWith("10.42.1."));

  const Result<void> stopped = stop_containerd(other_dir);
  EXPECT_TRUE(stopped.ok()) << stopped.error().message;
  fs::remove_all(other_dir);
  EXPECT_TRUE(runtime_->sandbox_status(id)->ready) << "the end of one instance leaves the other alone";
  SandboxConfig again = sandbox_config(first, "web-1");
  EXPECT_TRUE(runtime_->run_sandbox(again).ok());
}

TEST_F(ContainerdTest, BadInputSaysWhatIsWrong) {
  EXPECT_EQ(start_or_adopt_containerd({.data_dir = "relative"}).error().reason, Reason::kBadRequest);
  const std::string deep = data_dir_ + "/" + std::string(120, 'd');
  EXPECT_THAT(start_or_adopt_containerd({.data_dir = deep}).error().message, testing::HasSubstr("too long"));
  EXPECT_EQ(import_image("/nowhere.sock", "/nowhere.tar").error().reason, Reason::kNotFound);
  EXPECT_EQ(make_cri_runtime("/nowhere.sock")->version().error().reason, Reason::kUnavailable);
}

// A mount namespace as well: what others mount meanwhile is none of our business.
void enter_own_namespaces() {
  if (geteuid() != 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return;
  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP;
  ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
}

}  // namespace
}  // namespace stead::node

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  stead::node::enter_own_namespaces();
  return RUN_ALL_TESTS();
}
