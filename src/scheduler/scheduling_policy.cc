#include "scheduler/scheduling_policy.h"

#include <algorithm>
#include <map>

#include "scheduler/filters.h"
#include "scheduler/scores.h"

namespace stead::scheduler {
namespace {

// "2 Insufficient cpu, 1 Too many pods" in the order of the texts, as upstream sorts them.
std::string histogram(const std::map<std::string, size_t>& reasons) {
  std::vector<std::string> parts;
  for (const auto& [reason, count] : reasons) parts.push_back(std::to_string(count) + " " + reason);
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// There is no preemption; the sentence about it is kept because people and tools match on the whole text.
std::string failure_text(size_t nodes, const std::string& why, size_t resolvable) {
  std::map<std::string, size_t> preemption;
  if (resolvable > 0) preemption["No preemption victims found for incoming pod"] = resolvable;
  if (nodes > resolvable) preemption["Preemption is not helpful for scheduling"] = nodes - resolvable;
  std::string head = "0/" + std::to_string(nodes) + " nodes are available: ";
  return head + why + ". preemption: " + head + histogram(preemption) + ".";
}

}  // namespace

size_t candidates_enough(size_t nodes) {
  constexpr size_t kEnoughMin = 100;
  constexpr size_t kPercentMin = 5;
  if (nodes <= kEnoughMin) return nodes;
  size_t percent = std::max(kPercentMin, 50 - std::min<size_t>(nodes / 125, 50));
  return std::max(kEnoughMin, nodes * percent / 100);
}

Choice choose_node(const PodInfo& pod, const ClusterState& cluster, const StorageView& storage,
                   const NamespaceLabels& namespaces, const std::string& first) {
  Choice choice;
  size_t node_count = cluster.node_count();
  if (node_count == 0) {
    choice.failure = "no nodes available to schedule pods";
    return choice;
  }
  VolumeBinding volumes(pod, storage);
  choice.waits_for_storage = volumes.has_claims();
  if (!volumes.failure().empty()) {
    choice.failure = failure_text(node_count, volumes.failure(), 0);
    return choice;
  }
  PodAffinity affinity(pod, cluster, namespaces);
  TopologySpread spread(pod, cluster);
  choice.waits_for_pods = affinity.constrains() || spread.constrains();

  std::vector<const NodeInfo*> candidates;
  std::map<std::string, size_t> reasons;
  size_t resolvable = 0;
  const auto& nodes = cluster.nodes();
  size_t enough = candidates_enough(node_count);
  auto next = nodes.lower_bound(first);
  for (size_t looked = 0; looked < nodes.size() && candidates.size() < enough; ++looked, ++next) {
    if (next == nodes.end()) next = nodes.begin();
    const NodeInfo& node = next->second;
    if (!node.node) continue;
    Verdict verdict = filter_node(pod, node);
    if (verdict.ok()) verdict = volumes.filter(node);
    if (verdict.ok()) verdict = spread.filter(node);
    if (verdict.ok()) verdict = affinity.filter(node);
    if (verdict.ok()) {
      candidates.push_back(&node);
      continue;
    }
    for (const std::string& reason : verdict.reasons) ++reasons[reason];
    if (verdict.resolvable) ++resolvable;
  }
  // Where all were looked at the order is the same every time.
  if (enough < node_count && next != nodes.end()) choice.next_first = next->first;
  if (candidates.empty()) {
    choice.failure = failure_text(node_count, histogram(reasons), resolvable);
    return choice;
  }
  const NodeInfo* best = best_node(pod, candidates, affinity, spread);
  choice.node = best->node->name();
  choice.claims = volumes.choose(*best);
  return choice;
}

bool wants_node(const Object& pod, std::string_view scheduler_name) {
  std::string_view name = pod.spec().at("schedulerName").as_string();
  std::string_view phase = pod.status().at("phase").as_string();
  return pod.spec().at("nodeName").as_string().empty() && (name.empty() || name == scheduler_name) &&
         pod.spec().at("schedulingGates").empty() && !pod.deleting() && phase != "Succeeded" && phase != "Failed";
}

}  // namespace stead::scheduler
