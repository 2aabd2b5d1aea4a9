#include "controllers/node_lifecycle/eviction_policy.h"

#include <algorithm>

#include "controllers/node_lifecycle/node_health_policy.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "kinds/semantics/tolerations.h"
#include "object/time.h"

namespace stead::controllers::eviction {
namespace {

constexpr std::string_view kNodeLost = "NodeLost";

bool executes(const Value& taint) { return taint.at("effect").as_string() == "NoExecute"; }

bool is_unreachable(const Object& node) { return node_lifecycle::ready_status(node) == "Unknown"; }

// When the taints end the pod; nullopt: they never do.
std::optional<WallTime> end_of(const Observed& observed, WallTime now) {
  const Value& tolerations = observed.pod->spec().at("tolerations");
  std::optional<WallTime> end;
  for (const Value& taint : observed.node->spec().at("taints").items()) {
    if (!executes(taint)) continue;
    const Value* toleration = kinds::toleration_of(tolerations, taint);
    WallTime at = now;
    if (toleration != nullptr) {
      const Value* seconds = toleration->find("tolerationSeconds");
      if (seconds == nullptr || seconds->is_null()) continue;
      auto added = object::parse_time(taint.at("timeAdded").as_string());
      WallTime since = added ? *added : observed.seen(taint);
      at = since + std::chrono::seconds(std::max<int64_t>(0, seconds->as_int()));
    }
    end = end ? std::min(*end, at) : at;
  }
  return end;
}

client::Request status_patch(const Object& pod, Value status) {
  client::Request request = patch_request(
      kPods, pod, Value::object({{"metadata", Value::object({{"uid", pod.uid()}})}, {"status", std::move(status)}}),
      "status");
  request.patch_type = client::PatchType::kStrategicMerge;
  return request;
}

void set_lost(Value& status, const Observed& observed) {
  status.set("reason", kNodeLost);
  status.set("message", "Node " + std::string(observed.node->name()) + " which was running pod " +
                            std::string(observed.pod->name()) + " is unresponsive");
}

}  // namespace

bool concerns_pods(const Object& node) {
  auto taints = node.spec().at("taints").items();
  return is_unreachable(node) || std::any_of(taints.begin(), taints.end(), executes);
}

client::Plan decide(const Observed& observed, WallTime now) {
  const Object& pod = *observed.pod;
  client::Plan plan;
  bool lost = is_unreachable(*observed.node) && !is_finished(pod);
  if (pod.deleting()) {
    if (!lost || pod.status().at("reason").as_string() == kNodeLost) return plan;
    Value status = Value::object();
    set_lost(status, observed);
    plan.steps.push_back({.request = status_patch(pod, std::move(status)), .tolerated = {Reason::kNotFound}});
    return plan;
  }
  auto end = end_of(observed, now);
  if (!end) return plan;
  if (*end > now) {
    plan.look_again = std::chrono::duration_cast<Duration>(*end - now);
    return plan;
  }
  Value condition = Value::object({{"type", "DisruptionTarget"},
                                   {"status", "True"},
                                   {"reason", "DeletionByTaintManager"},
                                   {"message", "Taint manager: deleting due to NoExecute taint"},
                                   {"lastTransitionTime", object::format_time(now)}});
  Value status = Value::object({{"conditions", Value::array({std::move(condition)})}});
  if (lost) set_lost(status, observed);
  std::string name = std::string(pod.ns()) + "/" + std::string(pod.name());
  plan.events.push_back({observed.pod, "Normal", "TaintManagerEviction", "Marking for deletion Pod " + name, ""});
  plan.steps.push_back({.request = status_patch(pod, std::move(status)), .tolerated = {Reason::kNotFound}});
  plan.steps.push_back({.request = delete_request(kPods, pod), .tolerated = {Reason::kNotFound}});
  return plan;
}

}  // namespace stead::controllers::eviction
