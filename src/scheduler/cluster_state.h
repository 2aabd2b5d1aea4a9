#pragma once

// What the scheduler knows of nodes and the pods on them, kept up incrementally. Owned by the scheduler's loop; the
// policy reads it only.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/semantics/host_ports.h"
#include "kinds/semantics/pod_requests.h"
#include "object/object.h"
#include "scheduler/affinity_term.h"

namespace stead::scheduler {

using kinds::HostPort;
using kinds::Resources;
using object::ObjectPtr;

// A pod with what scheduling reads of it, worked out once.
struct PodInfo {
  explicit PodInfo(ObjectPtr the_pod);
  ObjectPtr pod;
  Resources requests;
  // For scoring, containers without requests count as small ones (100m, 200 MiB), not as nothing.
  Resources scored_requests;
  std::vector<HostPort> host_ports;
  std::vector<std::string> claims;  // of its volumes, "ns/name"
  std::string controller_uid;
  AffinityTerms terms;
  int64_t priority = 0;
  bool preempts = true;        // preemptionPolicy is not Never
  std::string started;         // status.startTime, comparable as text; empty before the start
  std::string nominated_node;  // status.nominatedNodeName
};
using PodInfoPtr = std::shared_ptr<const PodInfo>;

struct NodeInfo {
  ObjectPtr node;  // nullptr while pods are known of a node that is not
  Resources allocatable;
  int64_t pods_max = 0;
  Resources requested;
  Resources scored_requested;
  std::map<std::string, PodInfoPtr> pods;         // by "ns/name"
  std::map<std::string, int> pods_of_controller;  // by UID

  void add(const PodInfoPtr& pod);
  // The pod must be here.
  void remove(const PodInfo& pod);
};

class ClusterState {
 public:
  void set_node(ObjectPtr node);
  void remove_node(std::string_view name);
  // Puts the pod on the node, from wherever it was.
  void set_pod(PodInfoPtr pod, const std::string& node);
  void remove_pod(const std::string& key);
  bool has_pod(const std::string& key) const { return node_of_pod_.contains(key); }

  // Keeps room on the node for a pod that others made way for, and on no other.
  void nominate(const PodInfoPtr& pod, const std::string& node);
  void end_nomination(const std::string& key);
  // Those for whom room is kept on the node; nullptr: nobody.
  const std::map<std::string, PodInfoPtr>* nominated(std::string_view node) const;

  // In order of names; entries without a node object are skipped by the policy.
  const std::map<std::string, NodeInfo>& nodes() const { return nodes_; }
  size_t node_count() const { return node_count_; }
  // Pods with affinity terms of their own, which may concern others, with their nodes, by "ns/name".
  const std::map<std::string, std::pair<PodInfoPtr, std::string>>& pods_with_terms() const { return pods_with_terms_; }
  // The nodes of the pods that use a claim ("ns/name"), by the pods' own "ns/name"; nullptr: no pod on a node does.
  const std::map<std::string, std::string>* users_of_claim(const std::string& claim) const;
  // Whether some pod on a node has a lower priority.
  bool has_pods_below(int64_t priority) const {
    return !pods_of_priority_.empty() && pods_of_priority_.begin()->first < priority;
  }

 private:
  std::map<std::string, NodeInfo> nodes_;
  std::map<std::string, std::string> node_of_pod_;
  std::map<std::string, std::pair<PodInfoPtr, std::string>> pods_with_terms_;
  std::map<int64_t, size_t> pods_of_priority_;
  std::map<std::string, std::map<std::string, std::string>> users_of_claim_;
  std::map<std::string, std::map<std::string, PodInfoPtr>, std::less<>> nominated_;  // by node, then "ns/name"
  std::map<std::string, std::string> node_of_nominated_;
  size_t node_count_ = 0;
};

}  // namespace stead::scheduler
