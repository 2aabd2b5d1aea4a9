#include "scheduler/filters.h"

#include "kinds/semantics/node_selector.h"
#include "kinds/semantics/tolerations.h"

namespace stead::scheduler {

Verdict filter_unschedulable(const PodInfo& pod, const NodeInfo& node) {
  if (!node.node->spec().at("unschedulable").as_bool()) return Verdict::fits();
  static const Value kTaint = Value::object({{"key", "node.kubernetes.io/unschedulable"}, {"effect", "NoSchedule"}});
  if (kinds::tolerates(pod.pod->spec().at("tolerations"), kTaint)) return Verdict::fits();
  return Verdict::rejects_for_good("node(s) were unschedulable");
}

Verdict filter_node_name(const PodInfo& pod, const NodeInfo& node) {
  std::string_view wanted = pod.pod->spec().at("nodeName").as_string();
  if (wanted.empty() || wanted == node.node->name()) return Verdict::fits();
  return Verdict::rejects_for_good("node(s) didn't match the requested node name");
}

Verdict filter_taints(const PodInfo& pod, const NodeInfo& node) {
  for (const Value& taint : node.node->spec().at("taints").items()) {
    std::string_view effect = taint.at("effect").as_string();
    if (effect != "NoSchedule" && effect != "NoExecute") continue;
    if (!kinds::tolerates(pod.pod->spec().at("tolerations"), taint)) {
      return Verdict::rejects_for_good("node(s) had untolerated taint(s)");
    }
  }
  return Verdict::fits();
}

Verdict filter_node_affinity(const PodInfo& pod, const NodeInfo& node) {
  const Value& spec = pod.pod->spec();
  const Value* required = spec.find({"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
  bool fits = kinds::has_labels(spec.at("nodeSelector"), *node.node) &&
              (required == nullptr || required->is_null() || kinds::matches_node_selector(*required, *node.node));
  return fits ? Verdict::fits() : Verdict::rejects_for_good("node(s) didn't match Pod's node affinity/selector");
}

Verdict filter_host_ports(const PodInfo& pod, const NodeInfo& node) {
  if (pod.host_ports.empty()) return Verdict::fits();
  for (const auto& [key, other] : node.pods) {
    for (const HostPort& used : other->host_ports) {
      for (const HostPort& wanted : pod.host_ports) {
        if (wanted.conflicts_with(used)) {
          return Verdict::rejects("node(s) didn't have free ports for the requested pod ports");
        }
      }
    }
  }
  return Verdict::fits();
}

Verdict filter_resources(const PodInfo& pod, const NodeInfo& node) {
  Verdict verdict;
  if (static_cast<int64_t>(node.pods.size()) + 1 > node.pods_max) verdict.reasons.emplace_back("Too many pods");
  auto check = [&](std::string_view name, int64_t wanted, int64_t used, int64_t allocatable) {
    if (wanted <= 0 || wanted <= allocatable - used) return;
    verdict.reasons.push_back("Insufficient " + std::string(name));
    // More than the node ever had: nothing that leaves it would help.
    if (wanted > allocatable) verdict.resolvable = false;
  };
  const Resources& wanted = pod.requests;
  check("cpu", wanted.cpu_milli, node.requested.cpu_milli, node.allocatable.cpu_milli);
  check("memory", wanted.memory, node.requested.memory, node.allocatable.memory);
  check("ephemeral-storage", wanted.ephemeral_storage, node.requested.ephemeral_storage,
        node.allocatable.ephemeral_storage);
  for (const auto& [name, amount] : wanted.extended) {
    auto find = [&name = name](const Resources& resources) {
      auto found = resources.extended.find(name);
      return found == resources.extended.end() ? 0 : found->second;
    };
    check(name, amount, find(node.requested), find(node.allocatable));
  }
  return verdict;
}

Verdict filter_node(const PodInfo& pod, const NodeInfo& node) {
  for (auto* filter : {filter_unschedulable, filter_node_name, filter_taints, filter_node_affinity, filter_host_ports,
                       filter_resources}) {
    Verdict verdict = filter(pod, node);
    if (!verdict.ok()) return verdict;
  }
  return Verdict::fits();
}

}  // namespace stead::scheduler
