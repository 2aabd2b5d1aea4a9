#include "node/containers/container_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "object/quantity.h"

namespace stead::node {
namespace {

using object::Quantity;
using object::Value;

constexpr int64_t kCpuPeriodUs = 100000;
constexpr int64_t kSharesMin = 2;
constexpr int64_t kSharesMax = 262144;
constexpr int64_t kOomGuaranteed = -997;
constexpr int64_t kOomBestEffort = 1000;

Quantity quantity_at(const Value& resources, std::string_view list, std::string_view name) {
  auto parsed = Quantity::parse(resources.at({list, name}).as_string());
  return parsed.ok() ? *parsed : Quantity();
}

std::string seccomp(const Value& profile) {
  std::string_view type = profile.at("type").as_string();
  if (type == "Localhost") return fmt::format("Localhost/{}", profile.at("localhostProfile").as_string());
  return std::string(type);
}

SecurityContext pod_security(const PodShape& shape) {
  const Value& spec = shape.spec();
  const Value& context = spec.at("securityContext");
  SecurityContext security;
  security.host_network = shape.host_network;
  security.host_pid = spec.at("hostPID").as_bool();
  security.host_ipc = spec.at("hostIPC").as_bool();
  security.share_process_namespace = spec.at("shareProcessNamespace").as_bool();
  if (const Value* user = context.find("runAsUser")) security.run_as_user = user->as_int();
  if (const Value* group = context.find("runAsGroup")) security.run_as_group = group->as_int();
  if (const Value* group = context.find("fsGroup")) {
    security.fs_group = group->as_int();
    security.supplemental_groups.push_back(group->as_int());
  }
  for (const Value& group : context.at("supplementalGroups").items()) {
    security.supplemental_groups.push_back(group.as_int());
  }
  security.seccomp_profile = seccomp(context.at("seccompProfile"));
  return security;
}

SecurityContext container_security(const PodShape& shape, const ContainerShape& container) {
  SecurityContext security = pod_security(shape);
  const Value& context = container.document->at("securityContext");
  if (const Value* user = context.find("runAsUser")) security.run_as_user = user->as_int();
  if (const Value* group = context.find("runAsGroup")) security.run_as_group = group->as_int();
  security.privileged = context.at("privileged").as_bool();
  security.read_only_root_filesystem = context.at("readOnlyRootFilesystem").as_bool();
  if (const Value* escalation = context.find("allowPrivilegeEscalation")) {
    security.no_new_privileges = !escalation->as_bool();
  }
  for (const Value& name : context.at({"capabilities", "add"}).items()) {
    security.add_capabilities.emplace_back(name.as_string());
  }
  for (const Value& name : context.at({"capabilities", "drop"}).items()) {
    security.drop_capabilities.emplace_back(name.as_string());
  }
  if (const Value* profile = context.find("seccompProfile")) security.seccomp_profile = seccomp(*profile);
  return security;
}

// docs: node-pressure-eviction, "Node out of memory behavior".
int64_t oom_score(const PodShape& shape, const Value& resources, int64_t memory_capacity) {
  std::string qos = qos_class(shape.spec());
  if (qos == "Guaranteed") return kOomGuaranteed;
  if (qos == "BestEffort" || memory_capacity <= 0) return kOomBestEffort;
  int64_t request = quantity_at(resources, "requests", "memory").value();
  int64_t score = 1000 - static_cast<int64_t>((static_cast<__int128>(1000) * request) / memory_capacity);
  return std::clamp<int64_t>(score, 1000 + kOomGuaranteed, kOomBestEffort - 1);
}

Labels identity(const PodShape& shape) {
  return {{kLabelPodName, shape.name}, {kLabelPodNamespace, shape.ns}, {kLabelPodUid, shape.uid}};
}

MountConfig::Propagation propagation(std::string_view text) {
  if (text == "HostToContainer") return MountConfig::Propagation::kHostToContainer;
  if (text == "Bidirectional") return MountConfig::Propagation::kBidirectional;
  return MountConfig::Propagation::kPrivate;
}

Result<void> add_mounts(ContainerPlan& plan, const ContainerShape& container, const ContainerFacts& facts) {
  for (const Value& mount : container.document->at("volumeMounts").items()) {
    std::string_view name = mount.at("name").as_string();
    auto volume = std::find_if(facts.volumes.begin(), facts.volumes.end(),
                               [&](const VolumePlan& candidate) { return candidate.name == name; });
    if (volume == facts.volumes.end()) {
      return make_error(Reason::kInvalid,
                        fmt::format("cannot find volume \"{}\" to mount into container \"{}\"", name, container.name));
    }
    MountConfig config;
    config.host_path = volume_path(*volume, facts.paths);
    config.container_path = mount.at("mountPath").as_string();
    if (!config.container_path.starts_with('/')) config.container_path.insert(0, "/");
    if (mount.at("recursiveReadOnly").as_string() == "Enabled") {
      return make_error(Reason::kInvalid,
                        fmt::format("volume \"{}\" requested recursive read-only mode, but it is not supported by the "
                                    "runtime class",
                                    name));
    }
    config.read_only = mount.at("readOnly").as_bool() || volume->read_only;
    config.propagation = propagation(mount.at("mountPropagation").as_string());
    std::string sub_path(mount.at("subPath").as_string());
    if (std::string_view expression = mount.at("subPathExpr").as_string(); !expression.empty()) {
      sub_path = expand(expression, facts.environment);
      // Upstream fails the container rather than mount a directory called "$(NAME)".
      if (sub_path.find("$(") != std::string::npos) {
        return make_error(Reason::kInvalid,
                          fmt::format("missing value for variable in subPathExpr \"{}\"", expression));
      }
    }
    if (!sub_path.empty()) plan.sub_paths.push_back({plan.config.mounts.size(), std::move(sub_path)});
    plan.config.mounts.push_back(std::move(config));
  }
  return {};
}

bool mounts_over(const ContainerConfig& config, std::string_view path) {
  return std::any_of(config.mounts.begin(), config.mounts.end(),
                     [&](const MountConfig& mount) { return mount.container_path == path; });
}

}  // namespace

Resources container_resources(const PodShape& shape, const ContainerShape& container, int64_t memory_capacity) {
  const Value& given = container.resources();
  Resources resources;
  Quantity request = quantity_at(given, "requests", "cpu");
  Quantity limit = quantity_at(given, "limits", "cpu");
  int64_t milli = given.at({"requests", "cpu"}).is_null() ? limit.milli_value() : request.milli_value();
  resources.cpu_shares = std::clamp(milli * 1024 / 1000, kSharesMin, kSharesMax);
  if (!limit.is_zero()) resources.cpu_quota_us = std::max<int64_t>(1000, limit.milli_value() * kCpuPeriodUs / 1000);
  resources.memory_limit_bytes = quantity_at(given, "limits", "memory").value();
  resources.oom_score_adj = oom_score(shape, given, memory_capacity);
  return resources;
}

std::string volume_path(const VolumePlan& volume, const PodPaths& paths) {
  return volume.kind == VolumePlan::Kind::kHost ? volume.host_path : paths.volume(volume.name);
}

Result<SandboxConfig> sandbox_config(const PodShape& shape, const NodeOptions& options, const PodPaths& paths,
                                     uint32_t attempt) {
  // Running it as the host's own users would give it rights that it must not have.
  if (!shape.spec().at("hostUsers").as_bool(true)) {
    return make_error(Reason::kInvalid, "the container runtime does not support user namespaces");
  }
  SandboxConfig config;
  config.cgroup_parent = options.cgroup_parent;
  config.name = shape.name;
  config.ns = shape.ns;
  config.uid = shape.uid;
  config.attempt = attempt;
  STEAD_TRY(hostname, pod_hostname(shape, options.cluster_domain));
  config.hostname = shape.host_network ? std::string() : hostname.hostname;
  config.log_directory = paths.log_directory;
  set_dns(config, shape, {options.cluster_dns, options.cluster_domain, options.host_resolv_conf});
  for (const ContainerShape& container : shape.containers) {
    if (container.kind == ContainerKind::kInit) continue;
    for (const Value& port : container.document->at("ports").items()) {
      // On the host's network the container's port is the host's; there is nothing to map.
      if (shape.host_network || port.at("hostPort").as_int() == 0) continue;
      PortMapping mapping;
      mapping.protocol = port.at("protocol").as_string();
      if (mapping.protocol.empty()) mapping.protocol = "TCP";
      mapping.container_port = static_cast<int32_t>(port.at("containerPort").as_int());
      mapping.host_port = static_cast<int32_t>(port.at("hostPort").as_int());
      mapping.host_ip = port.at("hostIP").as_string();
      config.port_mappings.push_back(std::move(mapping));
    }
  }
  for (const auto& label : shape.pod->metadata().at("labels").members()) {
    config.labels.emplace(label.name(), label.value.as_string());
  }
  for (auto& [key, value] : identity(shape)) config.labels[key] = value;
  for (const auto& annotation : shape.pod->metadata().at("annotations").members()) {
    config.annotations.emplace(annotation.name(), annotation.value.as_string());
  }
  config.security = pod_security(shape);
  for (const ContainerShape& container : shape.containers) {
    // A privileged container needs a sandbox that may hold one.
    if (container.document->at({"securityContext", "privileged"}).as_bool()) config.security.privileged = true;
  }
  for (const Value& sysctl : shape.spec().at({"securityContext", "sysctls"}).items()) {
    config.security.sysctls.emplace(sysctl.at("name").as_string(), sysctl.at("value").as_string());
  }
  return config;
}

Result<ContainerPlan> container_plan(const PodShape& shape, const ContainerShape& container,
                                     const ContainerFacts& facts) {
  const Value& document = *container.document;
  ContainerPlan plan;
  ContainerConfig& config = plan.config;
  config.name = container.name;
  config.attempt = facts.attempt;
  config.image = document.at("image").as_string();
  for (const Value& word : document.at("command").items()) {
    config.command.push_back(expand(word.as_string(), facts.environment));
  }
  for (const Value& word : document.at("args").items()) {
    config.args.push_back(expand(word.as_string(), facts.environment));
  }
  config.working_directory = document.at("workingDir").as_string();
  config.environment = facts.environment;
  STEAD_TRY_VOID(add_mounts(plan, container, facts));
  if (!mounts_over(config, "/etc/hosts")) config.mounts.push_back({facts.paths.hosts_file(), "/etc/hosts"});
  std::string message_path(document.at("terminationMessagePath").as_string());
  if (message_path.empty()) message_path = "/dev/termination-log";
  if (!mounts_over(config, message_path)) {
    config.mounts.push_back({facts.paths.termination_message(container.name, facts.attempt), message_path});
  }
  config.labels = identity(shape);
  config.labels[kLabelContainerName] = container.name;
  config.annotations[kAnnotationHash] = container.hash;
  config.annotations[kAnnotationRestartCount] = std::to_string(facts.attempt);
  config.annotations[kAnnotationGrace] = std::to_string(shape.spec().at("terminationGracePeriodSeconds").as_int(30));
  config.log_path = PodPaths::log_path(container.name, facts.attempt);
  config.stdin_open = document.at("stdin").as_bool();
  config.stdin_once = document.at("stdinOnce").as_bool();
  config.tty = document.at("tty").as_bool();
  config.security = container_security(shape, container);
  config.resources = container_resources(shape, container, facts.memory_capacity);
  return plan;
}

Result<void> check_non_root(const PodShape& shape, const ContainerShape& container,
                            const std::optional<ImageInfo>& image) {
  const Value& own = container.document->at("securityContext");
  const Value& pod = shape.spec().at("securityContext");
  const Value* required = own.find("runAsNonRoot");
  if (required == nullptr) required = pod.find("runAsNonRoot");
  if (required == nullptr || !required->as_bool()) return {};
  const Value* user = own.find("runAsUser");
  if (user == nullptr) user = pod.find("runAsUser");
  auto refuse = [&](std::string why) {
    return make_error(Reason::kInvalid, fmt::format("container has runAsNonRoot and {} (pod: \"{}_{}({})\", container: "
                                                    "{})",
                                                    why, shape.name, shape.ns, shape.uid, container.name));
  };
  if (user != nullptr) {
    if (user->as_int() != 0) return {};
    return make_error(Reason::kInvalid,
                      fmt::format("container's runAsUser breaks non-root policy (pod: \"{}_{}({})\", container: {})",
                                  shape.name, shape.ns, shape.uid, container.name));
  }
  if (!image) return {};
  if (image->uid && *image->uid == 0) return refuse("image will run as root");
  if (!image->uid && !image->user_name.empty()) {
    return refuse(fmt::format("image has non-numeric user ({}), cannot verify user is non-root", image->user_name));
  }
  if (!image->uid) return refuse("image will run as root");
  return {};
}

}  // namespace stead::node
