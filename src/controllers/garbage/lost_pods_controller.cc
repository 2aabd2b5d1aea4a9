#include "controllers/garbage/lost_pods_controller.h"

#include <algorithm>

#include "controllers/apply_plans.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"

namespace stead::controllers {
namespace {

constexpr size_t kEndedMax = 12500;  // upstream: --terminated-pod-gc-threshold
// A key that no node can have.
constexpr char kEndedKey[] = "/ended";

bool is_out_of_service(const object::Object& node) {
  auto taints = node.spec().at("taints").items();
  bool tainted = std::any_of(taints.begin(), taints.end(), [](const Value& taint) {
    return taint.at("key").as_string() == "node.kubernetes.io/out-of-service";
  });
  return tainted && !is_ready(node);
}

std::pair<std::string, std::string> age_key(const object::Object& pod) {
  return {std::string(pod.metadata().at("creationTimestamp").as_string()), client::object_key(pod)};
}

}  // namespace

LostPodsController::LostPodsController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                                       client::InformerSet& informers)
    : transport_(transport),
      events_(events),
      informers_(informers),
      pods_(informers.get(kPods, "node", client::index_by_node)),
      nodes_(informers.get(kNodes)),
      queue_(loop, "lost-pods", 4, [this](auto& node, auto finish) { work(node, std::move(finish)); }) {
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    note_ended(before, after);
    std::string_view name = after ? after->spec().at("nodeName").as_string() : std::string_view();
    if (name.empty()) return;
    ObjectPtr node = nodes_.get(name);
    bool news = !before || before->spec().at("nodeName") != after->spec().at("nodeName");
    bool ends = after->deleting() && node && is_out_of_service(*node);
    if ((news && !node) || ends) queue_.add(std::string(name));
  });
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!after || is_out_of_service(*after)) queue_.add(std::string((after ? after : before)->name()));
  });
}

void LostPodsController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void LostPodsController::note_ended(const ObjectPtr& before, const ObjectPtr& after) {
  if (before && is_finished(*before)) ended_.erase(age_key(*before));
  if (after && is_finished(*after) && !after->deleting()) ended_.insert(age_key(*after));
  if (ended_.size() > kEndedMax) queue_.add(kEndedKey);
}

// The informers may lag behind a node that has just been made: ask.
void LostPodsController::work(const std::string& node, client::WorkQueue::Finish finish) {
  if (node == kEndedKey) return remove_oldest(std::move(finish));
  std::vector<ObjectPtr> pods = pods_.by_index("node", node);
  if (ObjectPtr known = nodes_.get(node)) {
    std::erase_if(pods, [](const ObjectPtr& pod) { return !pod->deleting(); });
    if (!is_out_of_service(*known)) pods.clear();
    return remove_pods(pods, std::move(finish));
  }
  if (pods.empty()) return finish(client::Outcome::done());
  client::Request request;
  request.verb = client::Verb::kGet;
  request.resource = kNodes.resource;
  request.name = node;
  transport_.call(std::move(request), [this, node, finish](const Result<client::Response>& response) {
    if (response.ok()) return finish(client::Outcome::done());
    if (response.error().reason != Reason::kNotFound) return finish(client::Outcome::failed(response.error()));
    remove_pods(pods_.by_index("node", node), finish);
  });
}

void LostPodsController::remove_pods(const std::vector<ObjectPtr>& pods, client::WorkQueue::Finish finish) {
  std::vector<client::Plan> plans;
  for (const ObjectPtr& pod : pods) {
    client::Request request = delete_request(kPods, *pod);
    request.body.set("gracePeriodSeconds", 0);
    plans.push_back({.steps = {{.request = std::move(request), .tolerated = {Reason::kNotFound}}}});
  }
  apply_plans(transport_, events_, std::move(plans), std::move(finish));
}

void LostPodsController::remove_oldest(client::WorkQueue::Finish finish) {
  std::vector<ObjectPtr> pods;
  for (const auto& [created, key] : ended_) {
    if (pods.size() + kEndedMax >= ended_.size()) break;
    if (ObjectPtr pod = pods_.get(key)) pods.push_back(std::move(pod));
  }
  remove_pods(pods, std::move(finish));
}

}  // namespace stead::controllers
