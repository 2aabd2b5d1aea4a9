#include "scheduler/cluster_state.h"

#include "client/informer.h"
#include "object/quantity.h"

namespace stead::scheduler {
namespace {

constexpr int64_t kScoredCpuMilli = 100;
constexpr int64_t kScoredMemory = 200LL * 1024 * 1024;

std::vector<std::string> claims_of(const Object& pod) {
  std::vector<std::string> claims;
  for (const Value& volume : pod.spec().at("volumes").items()) {
    const Value& claim = volume.at({"persistentVolumeClaim", "claimName"});
    if (claim.is_string()) {
      claims.push_back(client::object_key(pod.ns(), claim.as_string()));
    } else if (volume.find("ephemeral") != nullptr) {
      std::string name = std::string(pod.name()) + "-" + std::string(volume.at("name").as_string());
      claims.push_back(client::object_key(pod.ns(), name));
    }
  }
  return claims;
}

Resources scored(const Value& spec, const Resources& requests) {
  Resources result = requests;
  for (const Value& container : spec.at("containers").items()) {
    const Value& own = container.at({"resources", "requests"});
    if (own.find("cpu") == nullptr) result.cpu_milli += kScoredCpuMilli;
    if (own.find("memory") == nullptr) result.memory += kScoredMemory;
  }
  return result;
}

}  // namespace

PodInfo::PodInfo(ObjectPtr the_pod) : pod(std::move(the_pod)) {
  const Value& spec = pod->spec();
  requests = kinds::pod_requests_held(pod->document());
  scored_requests = scored(spec, requests);
  host_ports = kinds::host_ports(spec);
  claims = claims_of(*pod);
  for (const std::string& uid : client::index_by_controller_uid(*pod)) controller_uid = uid;
  terms = read_affinity_terms(*pod);
  priority = spec.at("priority").as_int();
  preempts = spec.at("preemptionPolicy").as_string() != "Never";
  started = pod->status().at("startTime").as_string();
  nominated_node = pod->status().at("nominatedNodeName").as_string();
}

void NodeInfo::add(const PodInfoPtr& pod) {
  requested.add(pod->requests);
  scored_requested.add(pod->scored_requests);
  if (!pod->controller_uid.empty()) ++pods_of_controller[pod->controller_uid];
  pods[client::object_key(*pod->pod)] = pod;
}

void NodeInfo::remove(const PodInfo& pod) {
  requested.subtract(pod.requests);
  scored_requested.subtract(pod.scored_requests);
  if (!pod.controller_uid.empty() && --pods_of_controller[pod.controller_uid] == 0) {
    pods_of_controller.erase(pod.controller_uid);
  }
  pods.erase(client::object_key(*pod.pod));  // last: it may hold the only reference to `pod`
}

void ClusterState::set_node(ObjectPtr node) {
  NodeInfo& info = nodes_[std::string(node->name())];
  if (!info.node) ++node_count_;
  const Value& allocatable = node->status().at("allocatable");
  const Value& list = allocatable.empty() ? node->status().at("capacity") : allocatable;
  info.allocatable = kinds::read_resources(list);
  const Value& pods = list.at("pods");
  auto quantity = object::Quantity::parse(pods.as_string());
  info.pods_max = pods.is_int() ? pods.as_int() : quantity.ok() ? quantity->value() : 0;
  info.node = std::move(node);
}

void ClusterState::remove_node(std::string_view name) {
  auto found = nodes_.find(std::string(name));
  if (found == nodes_.end() || !found->second.node) return;
  --node_count_;
  found->second.node = nullptr;
  if (found->second.pods.empty()) nodes_.erase(found);
}

void ClusterState::set_pod(PodInfoPtr pod, const std::string& node) {
  std::string key = client::object_key(*pod->pod);
  remove_pod(key);
  nodes_[node].add(pod);
  ++pods_of_priority_[pod->priority];
  node_of_pod_[key] = node;
  for (const std::string& claim : pod->claims) users_of_claim_[claim][key] = node;
  if (!pod->terms.empty()) pods_with_terms_[key] = {std::move(pod), node};
}

void ClusterState::remove_pod(const std::string& key) {
  auto at = node_of_pod_.find(key);
  if (at == node_of_pod_.end()) return;
  auto node = nodes_.find(at->second);
  NodeInfo& info = node->second;
  PodInfoPtr pod = info.pods.at(key);
  info.remove(*pod);
  auto same = pods_of_priority_.find(pod->priority);
  if (--same->second == 0) pods_of_priority_.erase(same);
  if (!info.node && info.pods.empty()) nodes_.erase(node);
  for (const std::string& claim : pod->claims) {
    auto users = users_of_claim_.find(claim);
    if (users == users_of_claim_.end()) continue;  // named by two of its volumes
    users->second.erase(key);
    if (users->second.empty()) users_of_claim_.erase(users);
  }
  pods_with_terms_.erase(key);
  node_of_pod_.erase(at);
}

void ClusterState::nominate(const PodInfoPtr& pod, const std::string& node) {
  std::string key = client::object_key(*pod->pod);
  end_nomination(key);
  nominated_[node][key] = pod;
  node_of_nominated_[key] = node;
}

void ClusterState::end_nomination(const std::string& key) {
  auto at = node_of_nominated_.find(key);
  if (at == node_of_nominated_.end()) return;
  auto entry = nominated_.find(at->second);
  entry->second.erase(key);
  if (entry->second.empty()) nominated_.erase(entry);
  node_of_nominated_.erase(at);
}

const std::map<std::string, std::string>* ClusterState::users_of_claim(const std::string& claim) const {
  auto found = users_of_claim_.find(claim);
  return found == users_of_claim_.end() ? nullptr : &found->second;
}

const std::map<std::string, PodInfoPtr>* ClusterState::nominated(std::string_view node) const {
  auto found = nominated_.find(node);
  return found == nominated_.end() ? nullptr : &found->second;
}

}  // namespace stead::scheduler
