#pragma once

// What the node part needs of a container runtime, in its own words: the subset of CRI v1 it drives. Implemented
// over gRPC (cri_runtime_adapter) and in memory (fake_runtime). All calls block and may be made from any number of
// worker threads; none is made on a loop. Ids are the runtime's.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace stead::node {

using Labels = std::map<std::string, std::string>;

struct PortMapping {
  std::string protocol;  // "TCP", "UDP", "SCTP"
  int32_t container_port = 0;
  int32_t host_port = 0;
  std::string host_ip;
};

struct SecurityContext {
  bool privileged = false;
  std::optional<int64_t> run_as_user;
  std::optional<int64_t> run_as_group;
  std::optional<int64_t> fs_group;
  std::vector<int64_t> supplemental_groups;
  bool read_only_root_filesystem = false;
  bool no_new_privileges = false;
  std::vector<std::string> add_capabilities;
  std::vector<std::string> drop_capabilities;
  bool host_network = false;
  bool host_pid = false;
  bool host_ipc = false;
  bool share_process_namespace = false;
  std::string pid_target_id;    // of a container, whose processes are seen; empty: none
  std::string seccomp_profile;  // "RuntimeDefault", "Unconfined", "Localhost/<path>", "" = unconfined
  std::map<std::string, std::string> sysctls;
};

struct Resources {
  int64_t cpu_shares = 2;
  int64_t cpu_quota_us = 0;  // per period of 100 ms; 0: unlimited
  int64_t memory_limit_bytes = 0;
  int64_t oom_score_adj = 0;
};

struct SandboxConfig {
  std::string name;
  std::string ns;
  std::string uid;
  uint32_t attempt = 0;
  std::string hostname;
  std::string log_directory;
  std::vector<std::string> dns_servers;
  std::vector<std::string> dns_searches;
  std::vector<std::string> dns_options;
  std::vector<PortMapping> port_mappings;
  Labels labels;
  Labels annotations;
  std::string cgroup_parent;
  SecurityContext security;
};

struct MountConfig {
  std::string host_path;
  std::string container_path;
  bool read_only = false;
  enum class Propagation : uint8_t { kPrivate, kHostToContainer, kBidirectional } propagation = Propagation::kPrivate;
};

struct ContainerConfig {
  std::string name;
  uint32_t attempt = 0;
  std::string image;  // reference or id as the runtime knows it
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::string working_directory;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<MountConfig> mounts;
  Labels labels;
  Labels annotations;
  std::string log_path;  // relative to the sandbox's log directory
  bool stdin_open = false;
  bool stdin_once = false;
  bool tty = false;
  SecurityContext security;
  Resources resources;
};

struct SandboxInfo {
  std::string id;
  bool ready = false;
  WallTime created_at;
  std::string name, ns, uid;
  uint32_t attempt = 0;
  Labels labels;
  Labels annotations;
};

struct SandboxStatus : SandboxInfo {
  std::string ip;
  std::vector<std::string> additional_ips;
};

enum class ContainerState : uint8_t { kCreated, kRunning, kExited, kUnknown };

struct ContainerInfo {
  std::string id;
  std::string sandbox_id;
  std::string name;
  uint32_t attempt = 0;
  std::string image;      // as asked for
  std::string image_ref;  // resolved: digest or id
  ContainerState state = ContainerState::kUnknown;
  WallTime created_at;
  Labels labels;
  Labels annotations;
};

struct ContainerStatus : ContainerInfo {
  WallTime started_at;
  WallTime finished_at;
  int32_t exit_code = 0;
  std::string reason;  // "Completed", "Error", "OOMKilled"
  std::string message;
  std::string log_path;
};

struct ExecResult {
  int32_t exit_code = 0;
  std::string output;  // stdout, then stderr; cut at 16 KiB
  bool timed_out = false;
};

struct ImageInfo {
  std::string id;
  std::vector<std::string> tags;
  std::vector<std::string> digests;
  uint64_t bytes = 0;
  std::optional<int64_t> uid;
  std::string user_name;
};

struct ContainerUsage {
  std::string container_id;
  std::string name;
  Labels labels;
  uint64_t cpu_nanoseconds = 0;  // since start
  uint64_t memory_working_set_bytes = 0;
  uint64_t writable_layer_bytes = 0;  // what it wrote over its image
};

// Something happened to a container or sandbox: look again. Ids may be empty: look at everything.
struct RuntimeEvent {
  std::string sandbox_id;
  std::string container_id;
};

class ContainerRuntime {
 public:
  virtual ~ContainerRuntime() = default;

  virtual Result<std::string> version() = 0;  // "containerd://1.6.20"
  // Whether runtime and network are ready; the text of what is not otherwise.
  virtual Result<std::string> not_ready_reason() = 0;

  virtual Result<std::string> run_sandbox(const SandboxConfig& config) = 0;
  virtual Result<void> stop_sandbox(const std::string& id) = 0;
  virtual Result<void> remove_sandbox(const std::string& id) = 0;
  virtual Result<std::vector<SandboxInfo>> list_sandboxes() = 0;
  virtual Result<SandboxStatus> sandbox_status(const std::string& id) = 0;

  virtual Result<std::string> create_container(const std::string& sandbox_id, const ContainerConfig& config,
                                               const SandboxConfig& sandbox) = 0;
  virtual Result<void> start_container(const std::string& id) = 0;
  // SIGTERM (or the image's stop signal), then SIGKILL after `grace`. Returns when it is dead.
  virtual Result<void> stop_container(const std::string& id, std::chrono::seconds grace) = 0;
  virtual Result<void> remove_container(const std::string& id) = 0;
  virtual Result<std::vector<ContainerInfo>> list_containers() = 0;
  virtual Result<ContainerStatus> container_status(const std::string& id) = 0;
  // Of a running container, at once. Values of 0 are left as they are.
  virtual Result<void> update_resources(const std::string& id, const Resources& resources) = 0;
  virtual Result<void> reopen_log(const std::string& id) = 0;

  // kTimeout is not an error: timed_out is set.
  virtual Result<ExecResult> exec_sync(const std::string& id, const std::vector<std::string>& command,
                                       std::chrono::milliseconds timeout) = 0;
  // URLs of the runtime's streaming server ("http://127.0.0.1:4711/exec/TOKEN").
  virtual Result<std::string> exec_url(const std::string& id, const std::vector<std::string>& command, bool tty,
                                       bool in, bool out, bool err) = 0;
  virtual Result<std::string> attach_url(const std::string& id, bool tty, bool in, bool out, bool err) = 0;
  virtual Result<std::string> port_forward_url(const std::string& sandbox_id, const std::vector<int32_t>& ports) = 0;

  virtual Result<std::vector<ContainerUsage>> container_stats() = 0;

  // nullopt: not there.
  virtual Result<std::optional<ImageInfo>> image_status(const std::string& reference) = 0;
  virtual Result<std::string> pull_image(const std::string& reference, const std::string& user,
                                         const std::string& password) = 0;
  virtual Result<std::vector<ImageInfo>> list_images() = 0;
  virtual Result<void> remove_image(const std::string& reference) = 0;

  // Calls `handler` on a thread of the adapter's for every event, and once with empty ids after each (re)connection.
  // Ends when the returned object dies.
  virtual std::shared_ptr<void> watch_events(std::function<void(RuntimeEvent)> handler) = 0;
};

}  // namespace stead::node
