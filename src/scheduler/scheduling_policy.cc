#include "scheduler/scheduling_policy.h"

#include <algorithm>
#include <map>

#include "kinds/core/pod_state.h"
#include "scheduler/pod_filters.h"
#include "scheduler/scores.h"

namespace stead::scheduler {
namespace {

// What a search through the nodes found.
struct Search {
  std::vector<const NodeInfo*> candidates;
  std::vector<const NodeInfo*> resolvable;  // rejected, but for reasons that leaving pods could remove
  std::map<std::string, size_t> reasons;
  std::string next_first;
};

Search search_nodes(const PodFilters& filters, const ClusterState& cluster, const std::string& first) {
  Search search;
  const auto& nodes = cluster.nodes();
  size_t enough = candidates_enough(cluster.node_count());
  auto next = nodes.lower_bound(first);
  for (size_t looked = 0; looked < nodes.size() && search.candidates.size() < enough; ++looked, ++next) {
    if (next == nodes.end()) next = nodes.begin();
    const NodeInfo& node = next->second;
    if (!node.node) continue;
    Verdict verdict = filters.check(node);
    if (verdict.ok()) {
      search.candidates.push_back(&node);
      continue;
    }
    for (const std::string& reason : verdict.reasons) ++search.reasons[reason];
    if (verdict.resolvable) search.resolvable.push_back(&node);
  }
  // Where all were looked at the order is the same every time.
  if (enough < cluster.node_count() && next != nodes.end()) search.next_first = next->first;
  return search;
}

// Where room was made for the pod, if it fits there by now.
const NodeInfo* nominated_node(const PodFilters& filters, const ClusterState& cluster) {
  if (filters.pod().nominated_node.empty()) return nullptr;
  auto found = cluster.nodes().find(filters.pod().nominated_node);
  bool fits = found != cluster.nodes().end() && found->second.node && filters.check(found->second).ok();
  return fits ? &found->second : nullptr;
}

void find_room(Choice& choice, const PodFilters& filters, const Search& search, const Surroundings& surroundings) {
  const ClusterState& cluster = surroundings.cluster;
  choice.failure = nodes_available_text(cluster.node_count(), histogram(search.reasons));
  std::string why_not = not_eligible_to_preempt(filters.pod(), cluster);
  if (!why_not.empty()) {
    choice.failure += " preemption: " + why_not;
    // Room is being made already.
    if (filters.pod().preempts) choice.nominated_node = filters.pod().nominated_node;
    return;
  }
  Preemption preemption = choose_victims(filters, cluster, search.resolvable, surroundings.budgets);
  if (preemption.node.empty()) choice.failure += " preemption: " + preemption.failure;
  choice.nominated_node = std::move(preemption.node);
  choice.victims = std::move(preemption.victims);
}

}  // namespace

std::string histogram(const std::map<std::string, size_t>& reasons) {
  std::vector<std::string> parts;
  for (const auto& [reason, count] : reasons) parts.push_back(std::to_string(count) + " " + reason);
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string nodes_available_text(size_t nodes, const std::string& why) {
  return "0/" + std::to_string(nodes) + " nodes are available: " + why + ".";
}

size_t candidates_enough(size_t nodes) {
  constexpr size_t kEnoughMin = 100;
  constexpr size_t kPercentMin = 5;
  if (nodes <= kEnoughMin) return nodes;
  size_t percent = std::max(kPercentMin, 50 - std::min<size_t>(nodes / 125, 50));
  return std::max(kEnoughMin, nodes * percent / 100);
}

Choice choose_node(const PodInfo& pod, const Surroundings& surroundings, const std::string& first) {
  const ClusterState& cluster = surroundings.cluster;
  Choice choice;
  size_t node_count = cluster.node_count();
  if (node_count == 0) {
    choice.failure = "no nodes available to schedule pods";
    return choice;
  }
  PodFilters filters(pod, cluster, surroundings.storage, surroundings.namespaces);
  choice.waits_for_storage = filters.volumes().has_claims();
  choice.waits_for_pods = filters.affinity().constrains() || filters.spread().constrains();
  if (!filters.volumes().failure().empty()) {
    choice.failure = nodes_available_text(node_count, filters.volumes().failure()) +
                     " preemption: " + choose_victims(filters, cluster, {}, surroundings.budgets).failure;
    return choice;
  }
  const NodeInfo* best = nominated_node(filters, cluster);
  choice.next_first = first;
  if (best == nullptr) {
    Search search = search_nodes(filters, cluster, first);
    choice.next_first = std::move(search.next_first);
    if (search.candidates.empty()) {
      find_room(choice, filters, search, surroundings);
      return choice;
    }
    best = best_node(pod, search.candidates, filters.affinity(), filters.spread());
  }
  choice.node = best->node->name();
  choice.claims = filters.volumes().choose(*best);
  return choice;
}

bool wants_node(const Object& pod, std::string_view scheduler_name) {
  std::string_view name = pod.spec().at("schedulerName").as_string();
  return pod.spec().at("nodeName").as_string().empty() && (name.empty() || name == scheduler_name) &&
         pod.spec().at("schedulingGates").empty() && !pod.deleting() && !kinds::is_pod_terminated(pod.document());
}

}  // namespace stead::scheduler
