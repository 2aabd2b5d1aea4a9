#include "scheduler/scheduler_requests.h"

#include "object/time.h"

namespace stead::scheduler {

using client::Request;
using client::Verb;

Request binding_request(const Object& pod, const std::string& node) {
  Request request;
  request.verb = Verb::kCreate;
  request.resource = "pods";
  request.subresource = "binding";
  request.ns = pod.ns();
  request.name = pod.name();
  request.body =
      Value::object({{"apiVersion", "v1"},
                     {"kind", "Binding"},
                     {"metadata", Value::object({{"name", pod.name()}, {"namespace", pod.ns()}, {"uid", pod.uid()}})},
                     {"target", Value::object({{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}})}});
  return request;
}

Request settle_claim_request(const ClaimChoice& choice, const std::string& node) {
  Request request;
  request.verb = Verb::kUpdate;
  if (!choice.volume) {
    request.resource = "persistentvolumeclaims";
    request.ns = choice.claim->ns();
    request.name = choice.claim->name();
    request.body = choice.claim->document();
    request.body["metadata"]["annotations"].set("volume.kubernetes.io/selected-node", node);
    return request;
  }
  request.resource = "persistentvolumes";
  request.name = choice.volume->name();
  request.body = choice.volume->document();
  request.body["metadata"]["annotations"].set("pv.kubernetes.io/bound-by-controller", "yes");
  request.body["spec"].set("claimRef", Value::object({{"apiVersion", "v1"},
                                                      {"kind", "PersistentVolumeClaim"},
                                                      {"namespace", choice.claim->ns()},
                                                      {"name", choice.claim->name()},
                                                      {"uid", choice.claim->uid()},
                                                      {"resourceVersion", std::to_string(choice.claim->revision())}}));
  return request;
}

namespace {

Request status_patch(const Object& pod, Value status) {
  Request request;
  request.verb = Verb::kPatch;
  request.patch_type = client::PatchType::kStrategicMerge;
  request.resource = "pods";
  request.subresource = "status";
  request.ns = pod.ns();
  request.name = pod.name();
  request.body = Value::object({{"metadata", Value::object({{"uid", pod.uid()}})}, {"status", std::move(status)}});
  return request;
}

}  // namespace

std::optional<Request> unschedulable_request(const Object& pod, const std::string& why,
                                             const std::string& nominated_node, WallTime now) {
  Value since = object::format_time(now);
  bool said = false;
  for (const Value& condition : pod.status().at("conditions").items()) {
    if (condition.at("type").as_string() != "PodScheduled" || condition.at("status").as_string() != "False") continue;
    said = condition.at("reason").as_string() == "Unschedulable" && condition.at("message").as_string() == why;
    since = condition.at("lastTransitionTime");
  }
  bool moved = pod.status().at("nominatedNodeName").as_string() != nominated_node;
  if (said && !moved) return std::nullopt;
  Value condition = Value::object({{"type", "PodScheduled"},
                                   {"status", "False"},
                                   {"reason", "Unschedulable"},
                                   {"message", why},
                                   {"lastTransitionTime", std::move(since)}});
  Value status = Value::object({{"conditions", Value::array({std::move(condition)})}});
  if (moved) status.set("nominatedNodeName", nominated_node.empty() ? Value() : Value(nominated_node));
  return status_patch(pod, std::move(status));
}

Request give_up_room_request(const Object& pod) {
  return status_patch(pod, Value::object({{"nominatedNodeName", Value()}}));
}

client::Plan preempt_plan(const ObjectPtr& victim, const Object& preemptor, const std::string& node, WallTime now) {
  Value target = Value::object({{"type", "DisruptionTarget"},
                                {"status", "True"},
                                {"reason", "PreemptionByScheduler"},
                                {"message", "default-scheduler: preempting to accommodate a higher priority pod"},
                                {"lastTransitionTime", object::format_time(now)}});
  Request remove;
  remove.verb = Verb::kDelete;
  remove.resource = "pods";
  remove.ns = victim->ns();
  remove.name = victim->name();
  remove.body = Value::object(
      {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"preconditions", Value::object({{"uid", victim->uid()}})}});
  client::Plan plan;
  plan.steps.push_back(
      {.request = status_patch(*victim, Value::object({{"conditions", Value::array({std::move(target)})}})),
       .tolerated = {Reason::kNotFound}});
  client::Event event{victim, "Normal", "Preempted",
                      "Preempted by pod " + std::string(preemptor.uid()) + " on node " + node, ""};
  plan.steps.push_back(
      {.request = std::move(remove), .tolerated = {Reason::kNotFound}, .event_on_success = std::move(event)});
  return plan;
}

}  // namespace stead::scheduler
