#include "scheduler/pod_filters.h"

#include "scheduler/filters.h"

namespace stead::scheduler {

PodFilters::PodFilters(const PodInfo& pod, const ClusterState& cluster, const StorageView& storage,
                       const NamespaceLabels& namespaces)
    : pod_(pod),
      cluster_(cluster),
      volumes_(pod, cluster, storage),
      affinity_(pod, cluster, namespaces),
      spread_(pod, cluster) {}

Verdict PodFilters::check_as(const NodeInfo& node, const PodAffinity& affinity, const TopologySpread& spread) const {
  Verdict verdict = filter_node(pod_, node);
  if (verdict.ok()) verdict = volumes_.filter(node);
  if (verdict.ok()) verdict = spread.filter(node);
  if (verdict.ok()) verdict = affinity.filter(node);
  return verdict;
}

Verdict PodFilters::check(const NodeInfo& node) const {
  Verdict verdict = check_as(node, affinity_, spread_);
  if (!verdict.ok()) return verdict;
  if (cluster_.nominated(node.node->name()) == nullptr) return verdict;
  return Trial(*this, node).check();
}

PodFilters::Trial::Trial(const PodFilters& filters, const NodeInfo& node)
    : filters_(filters), node_(node), affinity_(filters.affinity_), spread_(filters.spread_) {
  const auto* nominated = filters.cluster_.nominated(node.node->name());
  if (nominated == nullptr) return;
  for (const auto& [key, other] : *nominated) {
    bool itself = other->pod->uid() == filters.pod_.pod->uid();
    if (!itself && other->priority >= filters.pod_.priority && !node.pods.contains(key)) add(other);
  }
}

void PodFilters::Trial::remove(const PodInfoPtr& pod) {
  affinity_.adjust(*pod, node_, -1);
  spread_.adjust(*pod, node_, -1);
  node_.remove(*pod);
}

void PodFilters::Trial::add(const PodInfoPtr& pod) {
  node_.add(pod);
  affinity_.adjust(*pod, node_, 1);
  spread_.adjust(*pod, node_, 1);
}

Verdict PodFilters::Trial::check() const { return filters_.check_as(node_, affinity_, spread_); }

}  // namespace stead::scheduler
