#include "node/runtime/cri_messages.h"

namespace stead::node {

namespace cri = runtime::v1;

namespace {

constexpr size_t kExecOutputBytesMax = 16 << 10;
constexpr int64_t kCpuPeriodUs = 100'000;

// What an unprivileged container must not see or write under /proc and /sys: Kubernetes' procMount "Default".
constexpr const char* kMaskedPaths[] = {
    "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};
constexpr const char* kReadonlyPaths[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

WallTime time_of(int64_t nanoseconds) {
  return WallTime(std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(nanoseconds)));
}

template <class Map>
Labels labels_of(const Map& map) {
  return Labels(map.begin(), map.end());
}

template <class Repeated>
std::vector<std::string> strings_of(const Repeated& repeated) {
  return {repeated.begin(), repeated.end()};
}

template <class Field, class Items>
void append(Field* field, const Items& items) {
  for (const auto& item : items) field->Add()->assign(item);
}

void fill_namespaces(const SecurityContext& security, cri::NamespaceOption& namespaces) {
  namespaces.set_network(security.host_network ? cri::NODE : cri::POD);
  namespaces.set_ipc(security.host_ipc ? cri::NODE : cri::POD);
  namespaces.set_pid(security.host_pid ? cri::NODE : security.share_process_namespace ? cri::POD : cri::CONTAINER);
  if (security.pid_target_id.empty()) return;
  namespaces.set_pid(cri::TARGET);
  namespaces.set_target_id(security.pid_target_id);
}

void fill_seccomp(const std::string& profile, cri::SecurityProfile& message) {
  constexpr std::string_view kLocalhost = "Localhost/";
  if (profile == "RuntimeDefault") {
    message.set_profile_type(cri::SecurityProfile::RuntimeDefault);
  } else if (profile.starts_with(kLocalhost)) {
    message.set_profile_type(cri::SecurityProfile::Localhost);
    message.set_localhost_ref(profile.substr(kLocalhost.size()));
  } else {
    message.set_profile_type(cri::SecurityProfile::Unconfined);
  }
}

// fsGroup is one more supplemental group of every process (core/v1 PodSecurityContext).
template <class Message>
void fill_users(const SecurityContext& security, Message& message) {
  if (security.run_as_user) message.mutable_run_as_user()->set_value(*security.run_as_user);
  if (security.run_as_group) message.mutable_run_as_group()->set_value(*security.run_as_group);
  for (int64_t group : security.supplemental_groups) message.add_supplemental_groups(group);
  if (security.fs_group) message.add_supplemental_groups(*security.fs_group);
}

void fill_security(const SecurityContext& security, cri::LinuxContainerSecurityContext& message) {
  fill_namespaces(security, *message.mutable_namespace_options());
  fill_users(security, message);
  fill_seccomp(security.seccomp_profile, *message.mutable_seccomp());
  message.set_privileged(security.privileged);
  message.set_readonly_rootfs(security.read_only_root_filesystem);
  message.set_no_new_privs(security.no_new_privileges);
  append(message.mutable_capabilities()->mutable_add_capabilities(), security.add_capabilities);
  append(message.mutable_capabilities()->mutable_drop_capabilities(), security.drop_capabilities);
  if (security.privileged) return;
  for (const char* path : kMaskedPaths) message.add_masked_paths(path);
  for (const char* path : kReadonlyPaths) message.add_readonly_paths(path);
}

cri::MountPropagation propagation_of(MountConfig::Propagation propagation) {
  switch (propagation) {
    case MountConfig::Propagation::kPrivate:
      return cri::PROPAGATION_PRIVATE;
    case MountConfig::Propagation::kHostToContainer:
      return cri::PROPAGATION_HOST_TO_CONTAINER;
    case MountConfig::Propagation::kBidirectional:
      return cri::PROPAGATION_BIDIRECTIONAL;
  }
  return cri::PROPAGATION_PRIVATE;
}

ContainerState state_of(cri::ContainerState state) {
  switch (state) {
    case cri::CONTAINER_CREATED:
      return ContainerState::kCreated;
    case cri::CONTAINER_RUNNING:
      return ContainerState::kRunning;
    case cri::CONTAINER_EXITED:
      return ContainerState::kExited;
    default:
      return ContainerState::kUnknown;
  }
}

template <class Message>
void read_sandbox(const Message& message, SandboxInfo& info) {
  info.id = message.id();
  info.ready = message.state() == cri::SANDBOX_READY;
  info.created_at = time_of(message.created_at());
  info.name = message.metadata().name();
  info.ns = message.metadata().namespace_();
  info.uid = message.metadata().uid();
  info.attempt = message.metadata().attempt();
  info.labels = labels_of(message.labels());
  info.annotations = labels_of(message.annotations());
}

template <class Message>
void read_container(const Message& message, ContainerInfo& info) {
  info.id = message.id();
  info.name = message.metadata().name();
  info.attempt = message.metadata().attempt();
  info.image = message.image().image();
  info.image_ref = message.image_ref();
  info.state = state_of(message.state());
  info.created_at = time_of(message.created_at());
  info.labels = labels_of(message.labels());
  info.annotations = labels_of(message.annotations());
}

}  // namespace

cri::PodSandboxConfig sandbox_message(const SandboxConfig& config) {
  cri::PodSandboxConfig message;
  auto& metadata = *message.mutable_metadata();
  metadata.set_name(config.name);
  metadata.set_namespace_(config.ns);
  metadata.set_uid(config.uid);
  metadata.set_attempt(config.attempt);
  message.set_hostname(config.hostname);
  message.set_log_directory(config.log_directory);
  auto& dns = *message.mutable_dns_config();
  append(dns.mutable_servers(), config.dns_servers);
  append(dns.mutable_searches(), config.dns_searches);
  append(dns.mutable_options(), config.dns_options);
  for (const PortMapping& port : config.port_mappings) {
    auto& mapping = *message.add_port_mappings();
    mapping.set_protocol(port.protocol == "UDP" ? cri::UDP : port.protocol == "SCTP" ? cri::SCTP : cri::TCP);
    mapping.set_container_port(port.container_port);
    mapping.set_host_port(port.host_port);
    mapping.set_host_ip(port.host_ip);
  }
  message.mutable_labels()->insert(config.labels.begin(), config.labels.end());
  message.mutable_annotations()->insert(config.annotations.begin(), config.annotations.end());
  auto& linux_part = *message.mutable_linux();
  linux_part.set_cgroup_parent(config.cgroup_parent);
  linux_part.mutable_sysctls()->insert(config.security.sysctls.begin(), config.security.sysctls.end());
  auto& security = *linux_part.mutable_security_context();
  fill_namespaces(config.security, *security.mutable_namespace_options());
  fill_users(config.security, security);
  fill_seccomp(config.security.seccomp_profile, *security.mutable_seccomp());
  security.set_privileged(config.security.privileged);
  return message;
}

cri::LinuxContainerResources resources_message(const Resources& resources) {
  cri::LinuxContainerResources message;
  message.set_cpu_shares(resources.cpu_shares);
  if (resources.cpu_quota_us > 0) {
    message.set_cpu_period(kCpuPeriodUs);
    message.set_cpu_quota(resources.cpu_quota_us);
  }
  message.set_memory_limit_in_bytes(resources.memory_limit_bytes);
  message.set_oom_score_adj(resources.oom_score_adj);
  return message;
}

cri::ContainerConfig container_message(const ContainerConfig& config) {
  cri::ContainerConfig message;
  message.mutable_metadata()->set_name(config.name);
  message.mutable_metadata()->set_attempt(config.attempt);
  message.mutable_image()->set_image(config.image);
  append(message.mutable_command(), config.command);
  append(message.mutable_args(), config.args);
  message.set_working_dir(config.working_directory);
  for (const auto& [key, value] : config.environment) {
    auto& variable = *message.add_envs();
    variable.set_key(key);
    variable.set_value(value);
  }
  for (const MountConfig& mount : config.mounts) {
    auto& entry = *message.add_mounts();
    entry.set_host_path(mount.host_path);
    entry.set_container_path(mount.container_path);
    entry.set_readonly(mount.read_only);
    entry.set_propagation(propagation_of(mount.propagation));
  }
  message.mutable_labels()->insert(config.labels.begin(), config.labels.end());
  message.mutable_annotations()->insert(config.annotations.begin(), config.annotations.end());
  message.set_log_path(config.log_path);
  message.set_stdin(config.stdin_open);
  message.set_stdin_once(config.stdin_once);
  message.set_tty(config.tty);
  *message.mutable_linux()->mutable_resources() = resources_message(config.resources);
  fill_security(config.security, *message.mutable_linux()->mutable_security_context());
  return message;
}

SandboxInfo sandbox_info(const cri::PodSandbox& message) {
  SandboxInfo info;
  read_sandbox(message, info);
  return info;
}

SandboxStatus sandbox_status(const cri::PodSandboxStatus& message) {
  SandboxStatus status;
  read_sandbox(message, status);
  status.ip = message.network().ip();
  for (const auto& address : message.network().additional_ips()) status.additional_ips.push_back(address.ip());
  return status;
}

ContainerInfo container_info(const cri::Container& message) {
  ContainerInfo info;
  read_container(message, info);
  info.sandbox_id = message.pod_sandbox_id();
  return info;
}

ContainerStatus container_status(const cri::ContainerStatus& message) {
  ContainerStatus status;
  read_container(message, status);
  status.started_at = time_of(message.started_at());
  status.finished_at = time_of(message.finished_at());
  status.exit_code = message.exit_code();
  status.reason = message.reason();
  status.message = message.message();
  status.log_path = message.log_path();
  return status;
}

ImageInfo image_info(const cri::Image& message) {
  ImageInfo info;
  info.id = message.id();
  info.tags = strings_of(message.repo_tags());
  info.digests = strings_of(message.repo_digests());
  info.bytes = message.size();
  if (message.has_uid()) info.uid = message.uid().value();
  info.user_name = message.username();
  return info;
}

ContainerUsage container_usage(const cri::ContainerStats& message) {
  ContainerUsage usage;
  usage.container_id = message.attributes().id();
  usage.name = message.attributes().metadata().name();
  usage.labels = labels_of(message.attributes().labels());
  usage.cpu_nanoseconds = message.cpu().usage_core_nano_seconds().value();
  usage.memory_working_set_bytes = message.memory().working_set_bytes().value();
  usage.writable_layer_bytes = message.writable_layer().used_bytes().value();
  return usage;
}

ExecResult exec_result(const cri::ExecSyncResponse& message) {
  ExecResult result;
  result.exit_code = message.exit_code();
  result.output = message.stdout().substr(0, kExecOutputBytesMax);
  result.output += message.stderr().substr(0, kExecOutputBytesMax - result.output.size());
  return result;
}

}  // namespace stead::node
