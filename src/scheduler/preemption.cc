#include "scheduler/preemption.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "object/selector.h"
#include "scheduler/scheduling_policy.h"

namespace stead::scheduler {
namespace {

constexpr std::string_view kNoVictims = "No preemption victims found for incoming pod";
constexpr std::string_view kNotHelpful = "Preemption is not helpful for scheduling";
// Nodes on which a way is looked for: as upstream a tenth of them, and at least so many.
constexpr size_t kCandidatesMin = 100;

struct Candidate {
  const NodeInfo* node = nullptr;
  std::vector<PodInfoPtr> victims;
  int64_t broken_budgets = 0;
};

bool more_important(const PodInfoPtr& a, const PodInfoPtr& b) {
  if (a->priority != b->priority) return a->priority > b->priority;
  // What has run longer stays; what has not started yet goes first.
  if (a->started.empty() != b->started.empty()) return b->started.empty();
  if (a->started != b->started) return a->started < b->started;
  return a->pod->name() < b->pod->name();
}

// What each budget still allows, counted down while victims are chosen.
class Budgets {
 public:
  Budgets(const DisruptionBudgets& source, const std::vector<PodInfoPtr>& pods) {
    if (!source) return;
    for (const PodInfoPtr& pod : pods) {
      std::string ns(pod->pod->ns());
      if (budgets_.contains(ns)) continue;
      for (const ObjectPtr& budget : source(ns)) {
        auto selector = object::LabelSelector::from_document(budget->spec().at("selector"));
        if (!selector.ok() || selector->matches_nothing()) continue;
        budgets_[ns].push_back({budget, *selector, budget->status().at("disruptionsAllowed").as_int()});
      }
    }
  }

  // Takes the pod's share from every budget that covers it; true if one of them had none left.
  bool breaks(const PodInfo& pod) {
    bool broken = false;
    for (Entry& entry : budgets_[std::string(pod.pod->ns())]) {
      if (!entry.selector.matches(pod.pod->metadata().at("labels"))) continue;
      // An eviction that the budget has granted already is not counted twice.
      if (entry.budget->status().at("disruptedPods").find(pod.pod->name()) != nullptr) continue;
      if (--entry.allowed < 0) broken = true;
    }
    return broken;
  }

 private:
  struct Entry {
    ObjectPtr budget;
    object::LabelSelector selector;
    int64_t allowed;
  };
  std::map<std::string, std::vector<Entry>> budgets_;
};

// Fills `candidate`; the verdict says why the node cannot be helped.
Verdict try_node(const PodFilters& filters, const NodeInfo& node, const DisruptionBudgets& budgets,
                 Candidate& candidate) {
  std::vector<PodInfoPtr> lower;
  for (const auto& [key, other] : node.pods) {
    if (other->priority < filters.pod().priority) lower.push_back(other);
  }
  if (lower.empty()) return Verdict::rejects(std::string(kNoVictims));
  std::sort(lower.begin(), lower.end(), more_important);
  PodFilters::Trial trial(filters, node);
  for (const PodInfoPtr& pod : lower) trial.remove(pod);
  Verdict verdict = trial.check();
  if (!verdict.ok()) return verdict;
  Budgets allowed(budgets, lower);
  std::vector<PodInfoPtr> covered;
  std::vector<PodInfoPtr> free;
  for (const PodInfoPtr& pod : lower) (allowed.breaks(*pod) ? covered : free).push_back(pod);
  candidate.node = &node;
  for (auto* part : {&covered, &free}) {
    for (const PodInfoPtr& pod : *part) {
      trial.add(pod);
      if (trial.check().ok()) continue;
      trial.remove(pod);
      candidate.victims.push_back(pod);
      if (part == &covered) ++candidate.broken_budgets;
    }
  }
  std::sort(candidate.victims.begin(), candidate.victims.end(), more_important);
  return Verdict::fits();
}

// Smaller is better.
auto cost(const Candidate& candidate) {
  int64_t highest = candidate.victims.empty() ? INT64_MIN : candidate.victims.front()->priority;
  // Priorities may be negative; each pod still has to cost something.
  constexpr int64_t kShift = int64_t{1} << 31;
  int64_t sum = 0;
  for (const PodInfoPtr& pod : candidate.victims) sum += pod->priority + kShift;
  return std::tuple(candidate.broken_budgets, highest, sum, candidate.victims.size());
}

// The start of the longest-running victim among the most important ones: where it is latest, least is lost.
std::string_view earliest_start(const Candidate& candidate) {
  return candidate.victims.empty() ? std::string_view() : std::string_view(candidate.victims.front()->started);
}

}  // namespace

std::string not_eligible_to_preempt(const PodInfo& pod, const ClusterState& cluster) {
  if (!pod.preempts) return "not eligible due to preemptionPolicy=Never.";
  if (pod.nominated_node.empty()) return {};
  auto node = cluster.nodes().find(pod.nominated_node);
  if (node == cluster.nodes().end()) return {};
  for (const auto& [key, other] : node->second.pods) {
    if (other->pod->deleting() && other->priority < pod.priority) {
      return "not eligible due to a terminating pod on the nominated node.";
    }
  }
  return {};
}

Preemption choose_victims(const PodFilters& filters, const ClusterState& cluster,
                          const std::vector<const NodeInfo*>& resolvable, const DisruptionBudgets& budgets) {
  std::map<std::string, size_t> reasons;
  size_t hopeless = cluster.node_count() - resolvable.size();
  if (hopeless > 0) reasons[std::string(kNotHelpful)] = hopeless;
  Candidate best;
  size_t enough = std::max(kCandidatesMin, cluster.node_count() / 10);
  size_t found = 0;
  bool possible = cluster.has_pods_below(filters.pod().priority);
  if (!possible && !resolvable.empty()) reasons[std::string(kNoVictims)] = resolvable.size();
  for (size_t i = 0; possible && i < resolvable.size() && found < enough; ++i) {
    Candidate candidate;
    Verdict verdict = try_node(filters, *resolvable[i], budgets, candidate);
    for (const std::string& reason : verdict.reasons) ++reasons[reason];
    if (!verdict.ok()) continue;
    ++found;
    bool better = best.node == nullptr || cost(candidate) < cost(best) ||
                  (cost(candidate) == cost(best) && earliest_start(candidate) > earliest_start(best));
    if (better) best = std::move(candidate);
  }
  if (best.node != nullptr) return {std::string(best.node->node->name()), std::move(best.victims), {}};
  return {{}, {}, nodes_available_text(cluster.node_count(), histogram(reasons))};
}

}  // namespace stead::scheduler
