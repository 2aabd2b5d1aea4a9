#pragma once

// Everything that can keep one pod off a node, made once for the pod over the whole cluster and then asked per node, in
// the order of kube-scheduler's plugins: the first that rejects decides. Pure.

#include "scheduler/cluster_state.h"
#include "scheduler/pod_affinity.h"
#include "scheduler/topology_spread.h"
#include "scheduler/verdict.h"
#include "scheduler/volume_binding.h"

namespace stead::scheduler {

class PodFilters {
 public:
  // All outlive this.
  PodFilters(const PodInfo& pod, const ClusterState& cluster, const StorageView& storage,
             const NamespaceLabels& namespaces);

  // With the pods for whom room is kept on the node (of at least this pod's priority) counted as there, and without:
  // neither may be what makes it fit.
  Verdict check(const NodeInfo& node) const;

  const PodInfo& pod() const { return pod_; }
  const VolumeBinding& volumes() const { return volumes_; }
  const PodAffinity& affinity() const { return affinity_; }
  const TopologySpread& spread() const { return spread_; }

  // One node, with those for whom room is kept there, as pods are taken off and put back in thought.
  class Trial {
   public:
    // `filters` outlives this.
    Trial(const PodFilters& filters, const NodeInfo& node);
    void remove(const PodInfoPtr& pod);
    void add(const PodInfoPtr& pod);
    Verdict check() const;

   private:
    const PodFilters& filters_;
    NodeInfo node_;
    PodAffinity affinity_;
    TopologySpread spread_;
  };

 private:
  Verdict check_as(const NodeInfo& node, const PodAffinity& affinity, const TopologySpread& spread) const;

  const PodInfo& pod_;
  const ClusterState& cluster_;
  VolumeBinding volumes_;
  PodAffinity affinity_;
  TopologySpread spread_;
};

}  // namespace stead::scheduler
