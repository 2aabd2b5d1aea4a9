#pragma once

// What the scheduler knows of nodes and the pods on them, kept up incrementally. Owned by the scheduler's loop; the
// policy reads it only.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/semantics/pod_requests.h"
#include "object/object.h"

namespace stead::scheduler {

using kinds::Resources;
using object::Object;
using object::ObjectPtr;
using object::Value;

struct HostPort {
  std::string ip;        // "" is every address
  std::string protocol;  // "TCP", "UDP", "SCTP"
  int64_t port = 0;
  bool conflicts_with(const HostPort& other) const;
};

// A pod with what scheduling reads of it, worked out once.
struct PodInfo {
  explicit PodInfo(ObjectPtr the_pod);
  ObjectPtr pod;
  Resources requests;
  // For scoring, containers without requests count as small ones (100m, 200 MiB), not as nothing.
  Resources scored_requests;
  std::vector<HostPort> host_ports;
  std::string controller_uid;
  bool has_required_anti_affinity = false;
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
};

class ClusterState {
 public:
  void set_node(ObjectPtr node);
  void remove_node(std::string_view name);
  // Puts the pod on the node, from wherever it was.
  void set_pod(PodInfoPtr pod, const std::string& node);
  void remove_pod(const std::string& key);
  bool has_pod(const std::string& key) const { return node_of_pod_.contains(key); }

  // In order of names; entries without a node object are skipped by the policy.
  const std::map<std::string, NodeInfo>& nodes() const { return nodes_; }
  size_t node_count() const { return node_count_; }
  // Pods whose required anti-affinity may forbid others, with their nodes, by "ns/name".
  const std::map<std::string, std::pair<PodInfoPtr, std::string>>& exclusive_pods() const { return exclusive_pods_; }

 private:
  std::map<std::string, NodeInfo> nodes_;
  std::map<std::string, std::string> node_of_pod_;
  std::map<std::string, std::pair<PodInfoPtr, std::string>> exclusive_pods_;
  size_t node_count_ = 0;
};

}  // namespace stead::scheduler
