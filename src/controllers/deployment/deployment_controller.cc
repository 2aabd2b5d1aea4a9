#include "controllers/deployment/deployment_controller.h"

#include "controllers/apply_plans.h"
#include "controllers/owner_references.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;

}  // namespace

DeploymentController::DeploymentController(client::ApiTransport& transport, loop::Loop& loop,
                                           client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      deployments_(informers.get(kDeployments)),
      sets_(informers.get(kReplicaSets, "orphan", index_orphans)),
      pods_(informers.get(kPods)),
      queue_(loop, "deployment", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  deployments_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    queue_.add(client::object_key(after ? *after : *before));
  });
  sets_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    // A change of owner concerns both owners.
    if (before) set_changed(*before);
    if (after) set_changed(*after);
  });
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (before && (!after || is_finished(*after))) pod_gone(*before);
  });
}

void DeploymentController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void DeploymentController::set_changed(const object::Object& set) {
  if (const Value* owner = controller_of(set)) {
    if (owner->at("kind").as_string() == "Deployment") {
      queue_.add(client::object_key(set.ns(), owner->at("name").as_string()));
    }
    return;
  }
  for (const ObjectPtr& deployment : deployments_.list_namespace(set.ns())) {
    auto selector = object::LabelSelector::from_document(deployment->spec().at("selector"));
    if (selector.ok() && selector->matches(set.metadata().at("labels"))) {
      queue_.add(client::object_key(*deployment));
    }
  }
}

// Recreate waits for the last pod of the old sets.
void DeploymentController::pod_gone(const object::Object& pod) {
  const Value* owner = controller_of(pod);
  if (owner == nullptr || owner->at("kind").as_string() != "ReplicaSet") return;
  if (ObjectPtr set = sets_.get(pod.ns(), owner->at("name").as_string())) set_changed(*set);
}

std::optional<deployment::Observed> DeploymentController::observe(const std::string& key) const {
  deployment::Observed observed;
  observed.deployment = deployments_.get(key);
  if (!observed.deployment) return std::nullopt;
  std::string ns(observed.deployment->ns());
  observed.sets = sets_.by_index("controller", std::string(observed.deployment->uid()));
  for (ObjectPtr& orphan : sets_.by_index("orphan", ns)) observed.sets.push_back(std::move(orphan));
  observed.set = [this, ns](std::string_view name) { return sets_.get(ns, name); };
  observed.pods = [this](const object::Object& set) { return pods_.by_index("controller", std::string(set.uid())); };
  return observed;
}

void DeploymentController::work(const std::string& key, client::WorkQueue::Finish finish) {
  auto observed = observe(key);
  if (!observed) return finish(client::Outcome::done());
  deployment::Decision decision = deployment::decide(*observed, loop_.wall_now());
  if (!decision.ownership.empty()) {
    // The watch events of these writes bring the next decision.
    return apply_plans(transport_, events_, std::move(decision.ownership), std::move(finish));
  }
  client::apply_plan(
      transport_, events_, std::move(decision.work),
      [this, subject = observed->deployment, set = std::move(decision.creates), finish = std::move(finish)](
          client::Outcome outcome) mutable { report_failure(subject, set, std::move(outcome), std::move(finish)); });
}

void DeploymentController::report_failure(const ObjectPtr& deployment, const std::string& set, client::Outcome outcome,
                                          client::WorkQueue::Finish finish) {
  // A set that exists already is our own, not seen yet; its watch event is on the way.
  if (!outcome.error || set.empty() || outcome.error->reason == Reason::kAlreadyExists) {
    return finish(std::move(outcome));
  }
  auto status = deployment::creation_failed(*deployment, set, *outcome.error, loop_.wall_now());
  if (!status) return finish(std::move(outcome));
  transport_.call(std::move(*status), [outcome = std::move(outcome), finish = std::move(finish)](
                                          const Result<client::Response>&) { finish(outcome); });
}

}  // namespace stead::controllers
