#include "scheduler/scores.h"

#include <algorithm>
#include <cmath>

#include "kinds/semantics/node_selector.h"
#include "kinds/semantics/tolerations.h"

namespace stead::scheduler {
namespace {

constexpr double kScale = 100;
// Weights of the default profile of kube-scheduler.
constexpr double kWeightLeastAllocated = 1;
constexpr double kWeightBalanced = 1;
constexpr double kWeightNodeAffinity = 2;
constexpr double kWeightPodAffinity = 2;
constexpr double kWeightSpread = 2;
constexpr double kWeightTaints = 3;

double used_fraction(int64_t requested, int64_t allocatable) {
  return allocatable <= 0 ? 1 : std::min(1.0, static_cast<double>(requested) / static_cast<double>(allocatable));
}

double score_resources(const PodInfo& pod, const NodeInfo& node) {
  double cpu =
      used_fraction(node.scored_requested.cpu_milli + pod.scored_requests.cpu_milli, node.allocatable.cpu_milli);
  double memory = used_fraction(node.scored_requested.memory + pod.scored_requests.memory, node.allocatable.memory);
  double least = kScale * (2 - cpu - memory) / 2;
  double balanced = kScale * (1 - std::abs(cpu - memory) / 2);
  return kWeightLeastAllocated * least + kWeightBalanced * balanced;
}

int64_t preferred_node_affinity(const PodInfo& pod, const NodeInfo& node) {
  int64_t sum = 0;
  const Value& preferred =
      pod.pod->spec().at({"affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"});
  for (const Value& term : preferred.items()) {
    if (kinds::matches_node_selector_term(term.at("preference"), *node.node)) sum += term.at("weight").as_int();
  }
  return sum;
}

int64_t soft_taints(const PodInfo& pod, const NodeInfo& node) {
  int64_t count = 0;
  for (const Value& taint : node.node->spec().at("taints").items()) {
    bool soft = taint.at("effect").as_string() == "PreferNoSchedule";
    if (soft && !kinds::tolerates(pod.pod->spec().at("tolerations"), taint)) ++count;
  }
  return count;
}

int64_t siblings(const PodInfo& pod, const NodeInfo& node) {
  if (pod.controller_uid.empty()) return 0;
  auto found = node.pods_of_controller.find(pod.controller_uid);
  return found == node.pods_of_controller.end() ? 0 : found->second;
}

// Adds `weight` × the raw values stretched over 0…100; all equal adds nothing.
template <class Raw>
void add_normalized(std::vector<double>& totals, const std::vector<const NodeInfo*>& nodes, double weight, Raw raw) {
  std::vector<int64_t> values;
  for (const NodeInfo* node : nodes) values.push_back(raw(*node));
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high) return;
  auto span = static_cast<double>(*high - *low);
  for (size_t i = 0; i < nodes.size(); ++i) {
    totals[i] += weight * kScale * static_cast<double>(values[i] - *low) / span;
  }
}

}  // namespace

const NodeInfo* best_node(const PodInfo& pod, const std::vector<const NodeInfo*>& candidates,
                          const PodAffinity& affinity, const TopologySpread& spread) {
  if (candidates.size() == 1) return candidates.front();
  std::vector<double> totals;
  for (const NodeInfo* node : candidates) totals.push_back(score_resources(pod, *node));
  add_normalized(totals, candidates, kWeightNodeAffinity,
                 [&](const NodeInfo& node) { return preferred_node_affinity(pod, node); });
  add_normalized(totals, candidates, kWeightPodAffinity, [&](const NodeInfo& node) { return affinity.score(node); });
  add_normalized(totals, candidates, kWeightTaints, [&](const NodeInfo& node) { return -soft_taints(pod, node); });
  add_normalized(totals, candidates, kWeightSpread, [&](const NodeInfo& node) { return -siblings(pod, node); });
  if (spread.constrains()) {
    add_normalized(totals, candidates, kWeightSpread, [&](const NodeInfo& node) { return -spread.crowding(node); });
  }
  size_t best = 0;
  for (size_t i = 1; i < candidates.size(); ++i) {
    bool better = totals[i] > totals[best] ||
                  (totals[i] == totals[best] && candidates[i]->pods.size() < candidates[best]->pods.size());
    if (better) best = i;
  }
  return candidates[best];
}

}  // namespace stead::scheduler
