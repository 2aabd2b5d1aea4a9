#include "controllers/garbage/lost_pods_controller.h"

#include "controllers/apply_plans.h"
#include "controllers/requests.h"

namespace stead::controllers {

LostPodsController::LostPodsController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                                       client::InformerSet& informers)
    : transport_(transport),
      events_(events),
      informers_(informers),
      pods_(informers.get(kPods, "node", client::index_by_node)),
      nodes_(informers.get(kNodes)),
      queue_(loop, "lost-pods", 4, [this](auto& node, auto finish) { work(node, std::move(finish)); }) {
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!after) return;
    std::string_view node = after->spec().at("nodeName").as_string();
    bool news = !before || before->spec().at("nodeName") != after->spec().at("nodeName");
    if (news && !node.empty() && !nodes_.get(node)) queue_.add(std::string(node));
  });
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!after) queue_.add(std::string(before->name()));
  });
}

void LostPodsController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

// The informers may lag behind a node that has just been made: ask.
void LostPodsController::work(const std::string& node, client::WorkQueue::Finish finish) {
  if (nodes_.get(node) || pods_.by_index("node", node).empty()) return finish(client::Outcome::done());
  client::Request request;
  request.verb = client::Verb::kGet;
  request.resource = kNodes.resource;
  request.name = node;
  transport_.call(std::move(request), [this, node, finish](const Result<client::Response>& response) {
    if (response.ok()) return finish(client::Outcome::done());
    if (response.error().reason != Reason::kNotFound) return finish(client::Outcome::failed(response.error()));
    end_pods(node, finish);
  });
}

void LostPodsController::end_pods(const std::string& node, client::WorkQueue::Finish finish) {
  std::vector<client::Plan> plans;
  for (const ObjectPtr& pod : pods_.by_index("node", node)) {
    client::Request request = delete_request(kPods, *pod);
    request.body.set("gracePeriodSeconds", 0);
    plans.push_back({.steps = {{.request = std::move(request), .tolerated = {Reason::kNotFound}}}});
  }
  apply_plans(transport_, events_, std::move(plans), std::move(finish));
}

}  // namespace stead::controllers
