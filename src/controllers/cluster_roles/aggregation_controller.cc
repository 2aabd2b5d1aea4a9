#include "controllers/cluster_roles/aggregation_controller.h"

#include "controllers/cluster_roles/aggregation_policy.h"

namespace stead::controllers {
namespace {

constexpr std::string_view kAggregates = "aggregates";

}  // namespace

ClusterRoleAggregationController::ClusterRoleAggregationController(client::ApiTransport& transport, loop::Loop& loop,
                                                                   client::EventRecorder& events,
                                                                   client::InformerSet& informers)
    : transport_(transport),
      events_(events),
      informers_(informers),
      roles_(informers.get({"rbac.authorization.k8s.io", "clusterroles"}, std::string(kAggregates),
                           [](const object::Object& role) -> std::vector<std::string> {
                             if (role.document().at("aggregationRule").is_null()) return {};
                             return {"yes"};
                           })),
      queue_(loop, "clusterroles", 2, [this](auto& name, auto finish) { work(name, std::move(finish)); }) {
  roles_.on_change([this](const client::ObjectPtr&, const client::ObjectPtr&) {
    // Any role may have come under, or left, any selector.
    for (const client::ObjectPtr& role : roles_.by_index(std::string(kAggregates), "yes")) {
      queue_.add(std::string(role->name()));
    }
  });
}

void ClusterRoleAggregationController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void ClusterRoleAggregationController::work(const std::string& name, client::WorkQueue::Finish finish) {
  client::ObjectPtr role = roles_.get(name);
  if (!role) return finish(client::Outcome::done());
  client::apply_plan(transport_, events_, cluster_roles::decide(*role, roles_.list()), std::move(finish));
}

}  // namespace stead::controllers
