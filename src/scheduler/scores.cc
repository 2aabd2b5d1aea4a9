#include "scheduler/scores.h"

#include <algorithm>
#include <cmath>
#include <optional>

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

struct Use {
  double cpu;
  double memory;
};

Use use_with(const Resources& requested, const Resources& more, const NodeInfo& node) {
  return {used_fraction(requested.cpu_milli + more.cpu_milli, node.allocatable.cpu_milli),
          used_fraction(requested.memory + more.memory, node.allocatable.memory)};
}

double score_resources(const PodInfo& pod, const NodeInfo& node) {
  Use scored = use_with(node.scored_requested, pod.scored_requests, node);
  double least = kScale * (2 - scored.cpu - scored.memory) / 2;
  // A pod that asks for nothing leaves the balance as it is.
  if (pod.requests.cpu_milli == 0 && pod.requests.memory == 0) return kWeightLeastAllocated * least;
  Use real = use_with(node.requested, pod.requests, node);
  double balanced = kScale * (1 - std::abs(real.cpu - real.memory) / 2);
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

using Nodes = std::vector<const NodeInfo*>;

template <class Raw>
std::vector<double> raw_scores(const Nodes& nodes, Raw raw) {
  std::vector<double> values;
  values.reserve(nodes.size());
  for (const NodeInfo* node : nodes) values.push_back(static_cast<double>(raw(*node)));
  return values;
}

// Adds `weight` × the values as shares of the largest: more is better.
void add_shares(std::vector<double>& totals, const std::vector<double>& values, double weight) {
  double high = *std::max_element(values.begin(), values.end());
  if (high <= 0) return;
  for (size_t i = 0; i < totals.size(); ++i) totals[i] += weight * kScale * values[i] / high;
}

// The same where less is better.
void add_reverse_shares(std::vector<double>& totals, const std::vector<double>& values, double weight) {
  double high = *std::max_element(values.begin(), values.end());
  for (size_t i = 0; i < totals.size(); ++i) {
    totals[i] += weight * kScale * (high <= 0 ? 1 : (high - values[i]) / high);
  }
}

// Adds `weight` × the values stretched over 0…100; all equal adds nothing.
void add_stretched(std::vector<double>& totals, const std::vector<double>& values, double weight) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high) return;
  double span = *high - *low;
  for (size_t i = 0; i < totals.size(); ++i) totals[i] += weight * kScale * (values[i] - *low) / span;
}

// ScheduleAnyway: the least crowded domain gets all, a node outside the domains nothing.
void add_spread(std::vector<double>& totals, const Nodes& nodes, const TopologySpread& spread) {
  double low = 0;
  double high = 0;
  bool any = false;
  std::vector<std::optional<double>> values;
  for (const NodeInfo* node : nodes) {
    values.push_back(spread.crowding(*node));
    if (!values.back()) continue;
    low = any ? std::min(low, *values.back()) : *values.back();
    high = any ? std::max(high, *values.back()) : *values.back();
    any = true;
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!values[i]) continue;
    totals[i] += kWeightSpread * kScale * (high <= 0 ? 1 : (high + low - *values[i]) / high);
  }
}

}  // namespace

const NodeInfo* best_node(const PodInfo& pod, const std::vector<const NodeInfo*>& candidates,
                          const PodAffinity& affinity, const TopologySpread& spread) {
  if (candidates.size() == 1) return candidates.front();
  std::vector<double> totals;
  for (const NodeInfo* node : candidates) totals.push_back(score_resources(pod, *node));
  const Value& spec = pod.pod->spec();
  if (spec.find({"affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"}) != nullptr) {
    auto preferred = [&](const NodeInfo& node) { return preferred_node_affinity(pod, node); };
    add_shares(totals, raw_scores(candidates, preferred), kWeightNodeAffinity);
  }
  auto affine = [&](const NodeInfo& node) { return affinity.score(node); };
  add_stretched(totals, raw_scores(candidates, affine), kWeightPodAffinity);
  auto tainted = [&](const NodeInfo& node) { return soft_taints(pod, node); };
  add_reverse_shares(totals, raw_scores(candidates, tainted), kWeightTaints);
  if (spread.prefers()) {
    add_spread(totals, candidates, spread);
  } else {
    // Without constraints of its own the pod keeps away from its siblings.
    auto crowd = [&](const NodeInfo& node) { return -siblings(pod, node); };
    add_stretched(totals, raw_scores(candidates, crowd), kWeightSpread);
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
