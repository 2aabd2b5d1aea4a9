#include "simulation/invariants.h"

#include <fmt/format.h>

#include <cstdlib>

#include "node/containers/container_plan.h"

namespace stead::simulation {
namespace {

using object::Object;
using object::ObjectPtr;
using object::Value;

bool is_ready(const Object& pod) {
  for (const Value& condition : pod.status().at("conditions").items()) {
    if (condition.at("type").as_string() == "Ready") return condition.at("status").as_string() == "True";
  }
  return false;
}

const Value* owner_set(const Object& pod) {
  for (const Value& owner : pod.metadata().at("ownerReferences").items()) {
    if (owner.at("kind").as_string() == "StatefulSet") return &owner;
  }
  return nullptr;
}

int ordinal_of(const Object& object) {
  std::string_view name = object.name();
  return std::atoi(std::string(name.substr(name.rfind('-') + 1)).c_str());
}

std::string describe(const cache::Change& change) {
  const Object& object = change.after ? *change.after : *change.last;
  std::string text = fmt::format("{} {} {}/{} {}", change.revision,
                                 !change.before  ? "made"
                                 : !change.after ? "gone"
                                                 : "changed",
                                 object.ns(), object.name(), object.uid());
  if (object.deleting()) text += " deleting";
  if (object.document().at("kind").as_string() == "Pod") {
    text += fmt::format(" {} {}{}", object.spec().at("nodeName").as_string(), object.status().at("phase").as_string(),
                        is_ready(object) ? " ready" : "");
  }
  return text;
}

}  // namespace

std::shared_ptr<Invariants> Invariants::watch(Cluster& cluster) {
  std::shared_ptr<Invariants> made(new Invariants(cluster));
  for (const char* resource : {"/pods", "/persistentvolumeclaims"}) {
    auto subscription = cluster.cache().subscribe(resource, cluster.cache().revision(), made);
    made->subscriptions_.push_back(std::move(subscription).value());
  }
  return made;
}

void Invariants::violate(const std::string& what) {
  if (!violation_.empty()) return;
  auto at = std::chrono::duration_cast<std::chrono::milliseconds>(cluster_.simulation().now().time_since_epoch());
  violation_ = fmt::format("at {} ms: {}", at.count(), what);
}

void Invariants::on_changes(const std::vector<cache::Change>& changes) {
  static const bool trace = std::getenv("STEAD_TRACE") != nullptr;
  for (const cache::Change& change : changes) {
    std::string text = describe(change);
    auto now_ms = cluster_.simulation().now().time_since_epoch() / std::chrono::milliseconds(1);
    if (trace) fmt::print("{:9} {}\n", now_ms, text);
    digest_ = digest_ * 1099511628211U + std::hash<std::string>()(text) + static_cast<uint64_t>(now_ms);
    const Object& object = change.after ? *change.after : *change.last;
    if (object.document().at("kind").as_string() == "Pod") {
      pod_changed(change);
    } else if (!change.after || change.after->deleting()) {
      violate(fmt::format("claim {} is deleted", object.name()));
    }
  }
}

void Invariants::pod_changed(const cache::Change& change) {
  if (!change.after) return;
  const Value* owner = owner_set(*change.after);
  if (owner == nullptr) return;
  if (!change.before) check_order(*change.after);
  if (is_ready(*change.after)) {
    ready_once_[std::string(owner->at("uid").as_string())].insert(ordinal_of(*change.after));
  }
}

void Invariants::check_order(const Object& pod) {
  const Value& owner = *owner_set(pod);
  ObjectPtr set = cluster_.cache().get("apps/statefulsets",
                                       std::string(pod.ns()) + "/" + std::string(owner.at("name").as_string()));
  if (!set || set->uid() != owner.at("uid").as_string()) return;
  if (set->spec().at("podManagementPolicy").as_string() == "Parallel") return;
  for (int lower = 0; lower < ordinal_of(pod); ++lower) {
    if (ready_once_[std::string(set->uid())].contains(lower)) continue;
    violate(fmt::format("pod {} was made though ordinal {} has never been Ready", pod.name(), lower));
  }
}

bool Invariants::check() {
  if (cluster_.starts() == starts_seen_) return violation_.empty();
  starts_seen_ = cluster_.starts();
  std::map<std::string, std::string> running;  // "ns/name" → uid and place
  for (Machine& machine : cluster_.machines()) {
    for (const node::ContainerInfo& container : cluster_.containers(machine)) {
      if (container.state != node::ContainerState::kRunning) continue;
      std::string pod = container.labels.at(node::kLabelPodNamespace) + "/" + container.labels.at(node::kLabelPodName);
      std::string who = fmt::format("{} on {}", container.labels.at(node::kLabelPodUid), machine.name);
      auto [known, fresh] = running.emplace(pod, who);
      if (!fresh && known->second != who) {
        violate(fmt::format("two pods {} run at once: {} and {}", pod, known->second, who));
      }
    }
  }
  return violation_.empty();
}

std::string Invariants::unsettled_set(const Object& set) {
  auto replicas = static_cast<int>(set.spec().at("replicas").as_int(1));
  const Value& status = set.status();
  int found = 0;
  for (const ObjectPtr& pod : cluster_.list("/pods")) {
    const Value* owner = owner_set(*pod);
    if (owner == nullptr || owner->at("uid").as_string() != set.uid()) continue;
    if (pod->deleting()) return fmt::format("pod {} still ends", pod->name());
    if (!is_ready(*pod)) return fmt::format("pod {} is not Ready", pod->name());
    if (ordinal_of(*pod) >= replicas) return fmt::format("pod {} should be gone", pod->name());
    std::string_view revision = pod->metadata().at({"labels", "controller-revision-hash"}).as_string();
    if (revision != status.at("updateRevision").as_string()) return fmt::format("pod {} is old", pod->name());
    ++found;
  }
  if (found != replicas) return fmt::format("{} has {} pods, wants {}", set.name(), found, replicas);
  for (const char* field : {"replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"}) {
    if (status.at(field).as_int() != replicas) {
      return fmt::format("{}: status.{} is {}, not {}", set.name(), field, status.at(field).as_int(), replicas);
    }
  }
  if (status.at("observedGeneration").as_int() != set.metadata().at("generation").as_int()) {
    return fmt::format("{}: status is old", set.name());
  }
  return {};
}

std::string Invariants::unsettled() {
  size_t wanted = 0;
  for (const ObjectPtr& set : cluster_.list("apps/statefulsets")) {
    if (set->deleting()) return fmt::format("set {} still ends", set->name());
    std::string problem = unsettled_set(*set);
    if (!problem.empty()) return problem;
    wanted += static_cast<size_t>(set->spec().at("replicas").as_int(1));
  }
  size_t pods = cluster_.list("/pods").size();
  if (pods != wanted) return fmt::format("there are {} pods, the sets want {}", pods, wanted);
  return unsettled_runtimes();
}

std::string Invariants::unsettled_runtimes() {
  std::set<std::string> wanted;
  for (const ObjectPtr& pod : cluster_.list("/pods")) {
    wanted.insert(fmt::format("{} on {}", pod->uid(), pod->spec().at("nodeName").as_string()));
  }
  for (Machine& machine : cluster_.machines()) {
    for (const node::ContainerInfo& container : cluster_.containers(machine)) {
      std::string who = fmt::format("{} on {}", container.labels.at(node::kLabelPodUid), machine.name);
      if (container.state != node::ContainerState::kRunning || wanted.erase(who) > 0) continue;
      return fmt::format("{} of {} ({}) should not run", container.id, container.labels.at(node::kLabelPodName), who);
    }
  }
  return wanted.empty() ? "" : "no container of pod " + *wanted.begin();
}

}  // namespace stead::simulation
