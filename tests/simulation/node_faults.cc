#include "simulation/node_faults.h"

#include <fmt/format.h>

#include "node/containers/container_plan.h"

namespace stead::simulation {
namespace {

using client::Request;
using client::Verb;
using object::ObjectPtr;
using object::Value;

constexpr uint64_t kFaultSecondsMax = 300;
constexpr std::string_view kOutOfService = "node.kubernetes.io/out-of-service";

Request about(Verb verb, std::string resource, std::string ns, std::string name) {
  Request request;
  request.verb = verb;
  request.resource = std::move(resource);
  request.ns = std::move(ns);
  request.name = std::move(name);
  return request;
}

}  // namespace

std::string NodeFaults::step() {
  Random& random = cluster_.random();
  Instant now = cluster_.simulation().now();
  std::string told;
  for (auto at = faults_.begin(); at != faults_.end();) {
    if (at->second.until > now) {
      ++at;
      continue;
    }
    mend(cluster_.machines()[at->first]);
    told += cluster_.machines()[at->first].name + " is back; ";
    at = faults_.erase(at);
  }
  // The server's machine is one like others.
  if (random.below(cluster_.machines().size() + 1) == 0) {
    cluster_.restart_control();
    return told + "restart the server";
  }
  if (random.below(6) == 0) return told + delete_pod();
  size_t index = random.below(cluster_.machines().size());
  Machine& machine = cluster_.machines()[index];
  if (faults_.contains(index)) return told + (random.below(4) == 0 ? give_up(machine) : "nothing");
  // As upstream, a cluster of which most is lost waits: half of it stays well, so that something happens at all.
  if (faults_.size() * 2 >= cluster_.machines().size()) return told + "nothing";
  auto kind = static_cast<Kind>(random.below(7));
  auto span = std::chrono::seconds(1 + random.below(kFaultSecondsMax));
  faults_[index] = {kind, now + span};
  return told + strike(machine);
}

std::string NodeFaults::strike(Machine& machine) {
  auto index = static_cast<size_t>(&machine - cluster_.machines().data());
  switch (faults_.at(index).kind) {
    case Kind::kCrash:
      cluster_.stop_node(machine);
      machine.runtime->crash_machine();
      return "crash " + machine.name;
    case Kind::kFreeze:
      machine.loop->set_frozen(true);
      return "freeze " + machine.name;
    case Kind::kCut:
      machine.faults.lose_request = 1000;
      machine.faults.hold_events = true;
      return "cut off " + machine.name;
    case Kind::kCutOut:
      machine.faults.lose_request = 1000;
      return "nothing comes from " + machine.name;
    case Kind::kCutIn:
      machine.faults.lose_answer = 1000;
      machine.faults.hold_events = true;
      return "nothing reaches " + machine.name;
    case Kind::kLoss:
      machine.faults.lose_request = 300;
      machine.faults.lose_answer = 300;
      machine.faults.delay = 500;
      return "losses at " + machine.name;
    case Kind::kNoNode:
      cluster_.stop_node(machine);
      return "stop the node part of " + machine.name;
  }
  return {};
}

void NodeFaults::mend(Machine& machine) {
  machine.faults = {};
  machine.loop->set_frozen(false);
  if (!machine.node) cluster_.start_node(machine);
  set_out_of_service(machine, false);
}

void NodeFaults::mend_all() {
  faults_.clear();
  for (Machine& machine : cluster_.machines()) {
    mend(machine);
    // Who sent a node away for good changes his mind.
    cluster_.stop_node(machine);
    cluster_.start_node(machine);
  }
}

void NodeFaults::vouch_for_all_on(Machine& machine) {
  for (const ObjectPtr& pod : cluster_.list("/pods")) {
    if (pod->spec().at("nodeName").as_string() == machine.name) vouched_.emplace(pod->uid());
  }
  for (const node::ContainerInfo& container : cluster_.containers(machine)) {
    vouched_.insert(container.labels.at(node::kLabelPodUid));
  }
}

// What a person does who is sure that a lost node will not come back, rightly or not.
std::string NodeFaults::give_up(Machine& machine) {
  switch (cluster_.random().below(3)) {
    case 0:
      vouch_for_all_on(machine);
      (void)cluster_.call(about(Verb::kDelete, "nodes", "", machine.name));
      vouch_for_all_on(machine);
      return "delete node " + machine.name;
    case 1:
      vouch_for_all_on(machine);
      set_out_of_service(machine, true);
      vouch_for_all_on(machine);
      return "out of service: " + machine.name;
    default:
      return force_pod_on(machine);
  }
}

std::string NodeFaults::force_pod_on(const Machine& machine) {
  for (const ObjectPtr& pod : cluster_.list("/pods")) {
    if (pod->spec().at("nodeName").as_string() != machine.name) continue;
    vouched_.emplace(pod->uid());
    Request request = about(Verb::kDelete, "pods", std::string(pod->ns()), std::string(pod->name()));
    request.body = Value::object({{"gracePeriodSeconds", 0}, {"preconditions", Value::object({{"uid", pod->uid()}})}});
    (void)cluster_.call(std::move(request));
    return fmt::format("force {} on {}", pod->name(), machine.name);
  }
  return "nothing";
}

// Again if somebody else was faster.
void NodeFaults::set_out_of_service(const Machine& machine, bool out) {
  ObjectPtr node = cluster_.cache().get("/nodes", machine.name);
  if (!node) return;
  Value taints = node->spec().at("taints");
  if (!taints.is_array()) taints = Value::array();
  std::erase_if(taints.mutable_items(),
                [](const Value& taint) { return taint.at("key").as_string() == kOutOfService; });
  if (!out && taints.items().size() == node->spec().at("taints").items().size()) return;
  if (out) taints.append(Value::object({{"key", kOutOfService}, {"value", "lost"}, {"effect", "NoExecute"}}));
  Request request = about(Verb::kPatch, "nodes", "", machine.name);
  request.patch_type = client::PatchType::kMerge;
  request.body = Value::object({{"metadata", Value::object({{"resourceVersion", std::to_string(node->revision())}})},
                                {"spec", Value::object({{"taints", std::move(taints)}})}});
  auto answer = cluster_.call(std::move(request));
  if (!answer.ok() && answer.error().reason == Reason::kConflict) set_out_of_service(machine, out);
}

std::string NodeFaults::delete_pod() {
  std::vector<ObjectPtr> pods = cluster_.list("/pods");
  if (pods.empty()) return "nothing";
  const ObjectPtr& pod = pods[cluster_.random().below(pods.size())];
  (void)cluster_.call(about(Verb::kDelete, "pods", std::string(pod->ns()), std::string(pod->name())));
  return fmt::format("delete pod {}", pod->name());
}

}  // namespace stead::simulation
