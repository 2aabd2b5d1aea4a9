#include "node/pods/pod_admission.h"

#include <fmt/format.h>

#include "kinds/semantics/host_ports.h"
#include "kinds/semantics/pod_requests.h"

namespace stead::node {
namespace {

using object::Object;
using object::ObjectPtr;
using Others = std::span<const ObjectPtr>;

std::optional<Refusal> out_of(std::string_view resource, int64_t wanted, int64_t used, int64_t capacity) {
  if (wanted <= 0 || wanted <= capacity - used) return std::nullopt;
  return Refusal{fmt::format("OutOf{}", resource),
                 fmt::format("Pod was rejected: the node has not enough {}, requested: {}, used: {}, capacity: {}",
                             resource, wanted, used, capacity)};
}

std::optional<Refusal> check_resources(const Object& pod, Others others, const NodeOptions& options) {
  auto count = static_cast<int64_t>(others.size());
  if (auto refusal = out_of("pods", 1, count, options.pods_max)) return refusal;
  kinds::Resources wanted = kinds::pod_requests(pod.spec());
  if (wanted.cpu_milli <= 0 && wanted.memory <= 0 && wanted.ephemeral_storage <= 0) return std::nullopt;
  kinds::Resources used;
  for (const ObjectPtr& other : others) used.add(kinds::pod_requests(other->spec()));
  const MachineFacts& machine = options.machine;
  auto refusal = out_of("cpu", wanted.cpu_milli, used.cpu_milli, machine.cpus * 1000);
  if (!refusal) refusal = out_of("memory", wanted.memory, used.memory, machine.memory_bytes);
  if (!refusal) {
    refusal = out_of("ephemeral-storage", wanted.ephemeral_storage, used.ephemeral_storage, machine.storage_bytes);
  }
  return refusal;
}

std::optional<Refusal> check_host_ports(const Object& pod, Others others) {
  std::vector<kinds::HostPort> wanted = kinds::host_ports(pod.spec());
  if (wanted.empty()) return std::nullopt;
  for (const ObjectPtr& other : others) {
    for (const kinds::HostPort& taken : kinds::host_ports(other->spec())) {
      for (const kinds::HostPort& port : wanted) {
        if (!port.conflicts_with(taken)) continue;
        return Refusal{"NodePorts", fmt::format("Pod was rejected: port {} ({}) of the node is taken by pod {}/{}",
                                                port.port, port.protocol, other->ns(), other->name())};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> refuse(const Object& pod, Others others, const NodeOptions& options) {
  auto refusal = check_resources(pod, others, options);
  return refusal ? refusal : check_host_ports(pod, others);
}

}  // namespace stead::node
