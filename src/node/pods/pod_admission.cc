#include "node/pods/pod_admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/semantics/host_ports.h"
#include "kinds/semantics/pod_requests.h"

namespace stead::node {
namespace {

using object::Object;
using object::ObjectPtr;
using object::Value;
using Others = std::span<const ObjectPtr>;

// Those that are a pod's own and cannot harm the node (docs: "Safe and Unsafe Sysctls", as of v1.35).
constexpr std::string_view kSafeSysctls[] = {"kernel.shm_rmid_forced",
                                             "net.ipv4.ip_local_port_range",
                                             "net.ipv4.tcp_syncookies",
                                             "net.ipv4.ping_group_range",
                                             "net.ipv4.ip_unprivileged_port_start",
                                             "net.ipv4.ip_local_reserved_ports",
                                             "net.ipv4.tcp_keepalive_time",
                                             "net.ipv4.tcp_fin_timeout",
                                             "net.ipv4.tcp_keepalive_intvl",
                                             "net.ipv4.tcp_keepalive_probes",
                                             "net.ipv4.tcp_rmem",
                                             "net.ipv4.tcp_wmem"};

std::optional<PodRefusal> refuse_sysctls(const Value& spec) {
  for (const Value& sysctl : spec.at({"securityContext", "sysctls"}).items()) {
    // The kernel's tools write either.
    std::string name(sysctl.at("name").as_string());
    std::replace(name.begin(), name.end(), '/', '.');
    auto refuse = [&](const char* why) {
      return PodRefusal{"SysctlForbidden", fmt::format("forbidden sysctl: \"{}\" {}", name, why)};
    };
    if (std::find(std::begin(kSafeSysctls), std::end(kSafeSysctls), name) == std::end(kSafeSysctls)) {
      return refuse("not allowlisted");
    }
    if (name.starts_with("net.") && spec.at("hostNetwork").as_bool())
      return refuse("not allowed with host net enabled");
    if (name.starts_with("kernel.") && spec.at("hostIPC").as_bool()) return refuse("not allowed with host ipc enabled");
  }
  return std::nullopt;
}

std::optional<PodRefusal> out_of(std::string_view resource, int64_t wanted, int64_t used, int64_t capacity) {
  if (wanted <= 0 || wanted <= capacity - used) return std::nullopt;
  return PodRefusal{fmt::format("OutOf{}", resource),
                    fmt::format("the node has not enough {}, requested: {}, used: {}, capacity: {}", resource, wanted,
                                used, capacity)};
}

std::optional<PodRefusal> check_resources(const Object& pod, Others others, const NodeOptions& options) {
  auto count = static_cast<int64_t>(others.size());
  if (auto refusal = out_of("pods", 1, count, options.pods_max)) return refusal;
  kinds::Resources wanted = kinds::pod_requests(pod.spec());
  if (wanted.cpu_milli <= 0 && wanted.memory <= 0 && wanted.ephemeral_storage <= 0) return std::nullopt;
  kinds::Resources used;
  for (const ObjectPtr& other : others) used.add(kinds::pod_requests_held(other->document()));
  const MachineFacts& machine = options.machine;
  auto refusal = out_of("cpu", wanted.cpu_milli, used.cpu_milli, machine.cpus * 1000);
  if (!refusal) refusal = out_of("memory", wanted.memory, used.memory, machine.memory_bytes);
  if (!refusal) {
    refusal = out_of("ephemeral-storage", wanted.ephemeral_storage, used.ephemeral_storage, machine.storage_bytes);
  }
  return refusal;
}

std::optional<PodRefusal> check_host_ports(const Object& pod, Others others) {
  std::vector<kinds::HostPort> wanted = kinds::host_ports(pod.spec());
  if (wanted.empty()) return std::nullopt;
  for (const ObjectPtr& other : others) {
    for (const kinds::HostPort& taken : kinds::host_ports(other->spec())) {
      for (const kinds::HostPort& port : wanted) {
        if (!port.conflicts_with(taken)) continue;
        return PodRefusal{"NodePorts", fmt::format("port {} ({}) of the node is taken by pod {}/{}", port.port,
                                                   port.protocol, other->ns(), other->name())};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<PodRefusal> refuse_pod(const PodShape& shape) {
  const Value& spec = shape.spec();
  if (std::string_view os = spec.at({"os", "name"}).as_string(); !os.empty() && os != "linux") {
    return PodRefusal{"PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"};
  }
  // The runtime adds the groups of the image's /etc/group and cannot be told otherwise.
  if (spec.at({"securityContext", "supplementalGroupsPolicy"}).as_string() == "Strict") {
    return PodRefusal{"SupplementalGroupsPolicyNotSupported",
                      "SupplementalGroupsPolicy=Strict is not supported in this node"};
  }
  return refuse_sysctls(spec);
}

std::optional<PodRefusal> refuse_for_room(const Object& pod, Others others, const NodeOptions& options) {
  auto refusal = check_resources(pod, others, options);
  return refusal ? refusal : check_host_ports(pod, others);
}

}  // namespace stead::node
