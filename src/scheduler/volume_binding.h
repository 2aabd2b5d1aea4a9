#pragma once

// What a pod's claims say about nodes: volumes bound already tie it to where they are; claims of a class that waits
// for the first consumer are matched with a free volume of the node, or provisioned there; a ReadWriteOncePod claim
// that a pod on any node uses keeps every other pod waiting (KEP-2485). Pure.
//
// made once for a pod ──filter(node)──▶ fits ──choose(node)──▶ claims to settle before the pod is bound

#include <functional>
#include <string>
#include <vector>

#include "scheduler/cluster_state.h"
#include "scheduler/verdict.h"

namespace stead::scheduler {

// Reads the storage objects; nullptr for what does not exist.
struct StorageView {
  std::function<ObjectPtr(const std::string& ns, std::string_view name)> claim;
  std::function<ObjectPtr(std::string_view name)> volume;
  std::function<ObjectPtr(std::string_view name)> storage_class;
  std::function<std::vector<ObjectPtr>()> volumes;
};

// One claim to settle: reserve `volume` for it, or (nullptr) have it provisioned for the node.
struct ClaimChoice {
  ObjectPtr claim;
  ObjectPtr volume;
};

class VolumeBinding {
 public:
  // All outlive this.
  VolumeBinding(const PodInfo& pod, const ClusterState& cluster, const StorageView& storage);

  // Why no node can do, e.g. a claim that does not exist; empty otherwise.
  const std::string& failure() const { return failure_; }
  bool has_claims() const { return has_claims_; }
  // Whether every claim is bound.
  bool all_bound() const { return waiting_.empty(); }
  Verdict filter(const NodeInfo& node) const;
  std::vector<ClaimChoice> choose(const NodeInfo& node) const;

 private:
  void read_claim(const std::string& name, bool ephemeral);
  bool used_by_another(const std::string& claim, const NodeInfo& node) const;
  bool provisionable(const Object& claim, const NodeInfo& node) const;
  ObjectPtr find_volume(const Object& claim, const NodeInfo& node, const std::vector<ClaimChoice>& taken) const;

  const PodInfo& pod_;
  const ClusterState& cluster_;
  const StorageView& storage_;
  std::string failure_;
  bool has_claims_ = false;
  std::vector<ObjectPtr> bound_volumes_;
  std::vector<ObjectPtr> waiting_;      // claims without volume
  std::vector<std::string> exclusive_;  // claims that one pod alone may use, "ns/name"
};

}  // namespace stead::scheduler
