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

std::optional<Request> unschedulable_request(const Object& pod, const std::string& why, WallTime now) {
  Value since = object::format_time(now);
  for (const Value& condition : pod.status().at("conditions").items()) {
    if (condition.at("type").as_string() != "PodScheduled" || condition.at("status").as_string() != "False") continue;
    if (condition.at("reason").as_string() == "Unschedulable" && condition.at("message").as_string() == why) {
      return std::nullopt;
    }
    since = condition.at("lastTransitionTime");
  }
  Request request;
  request.verb = Verb::kPatch;
  request.patch_type = client::PatchType::kStrategicMerge;
  request.resource = "pods";
  request.subresource = "status";
  request.ns = pod.ns();
  request.name = pod.name();
  Value condition = Value::object({{"type", "PodScheduled"},
                                   {"status", "False"},
                                   {"reason", "Unschedulable"},
                                   {"message", why},
                                   {"lastTransitionTime", std::move(since)}});
  request.body = Value::object({{"metadata", Value::object({{"uid", pod.uid()}})},
                                {"status", Value::object({{"conditions", Value::array({std::move(condition)})}})}});
  return request;
}

}  // namespace stead::scheduler
