#include "controllers/disruption/disruption_controller.h"

#include "client/plan.h"
#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 8;

std::string_view group_of(const Value& owner) {
  std::string_view version = owner.at("apiVersion").as_string();
  size_t slash = version.find('/');
  return slash == std::string_view::npos ? std::string_view() : version.substr(0, slash);
}

disruption::Scale scale(const object::Object& owner) {
  return {std::string(owner.uid()), owner.spec().at("replicas").as_int(1)};
}

}  // namespace

DisruptionController::DisruptionController(client::ApiTransport& transport, loop::Loop& loop,
                                           client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      budgets_(informers.get(kDisruptionBudgets)),
      pods_(informers.get(kPods)),
      replica_sets_(informers.get(kReplicaSets)),
      deployments_(informers.get(kDeployments)),
      stateful_sets_(informers.get(kStatefulSets)),
      replication_controllers_(informers.get(kReplicationControllers)),
      queue_(loop, "disruption", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  budgets_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    queue_.add(client::object_key(after ? *after : *before));
  });
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (before) enqueue_budgets_of(*before);
    if (after) enqueue_budgets_of(*after);
  });
  // How many pods there should be changes with their owners.
  for (client::Informer* owners : {&replica_sets_, &deployments_, &stateful_sets_, &replication_controllers_}) {
    owners->on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
      const object::Object& owner = after ? *after : *before;
      if (before && after && before->spec().at("replicas") == after->spec().at("replicas")) return;
      for (const ObjectPtr& budget : budgets_.list_namespace(owner.ns())) queue_.add(client::object_key(*budget));
    });
  }
}

void DisruptionController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void DisruptionController::enqueue_budgets_of(const object::Object& pod) {
  for (const ObjectPtr& budget : budgets_.list_namespace(pod.ns())) {
    auto selector = object::LabelSelector::from_document(budget->spec().at("selector"));
    if (selector.ok() && selector->matches(pod.metadata().at("labels"))) queue_.add(client::object_key(*budget));
  }
}

Result<std::optional<disruption::Scale>> DisruptionController::scale_of(const object::Object& pod) const {
  const Value* owner = controller_of(pod);
  if (owner == nullptr) return std::optional<disruption::Scale>();
  std::string_view kind = owner->at("kind").as_string();
  std::string_view group = group_of(*owner);
  std::string_view name = owner->at("name").as_string();
  ObjectPtr found;
  if (group == "apps" && kind == "ReplicaSet") {
    found = replica_sets_.get(pod.ns(), name);
    const Value* above = found ? controller_of(*found) : nullptr;
    if (above != nullptr && above->at("kind").as_string() == "Deployment") {
      ObjectPtr deployment = deployments_.get(pod.ns(), above->at("name").as_string());
      if (deployment && deployment->uid() == above->at("uid").as_string()) {
        return std::optional<disruption::Scale>(scale(*deployment));
      }
    }
  } else if (group == "apps" && kind == "StatefulSet") {
    found = stateful_sets_.get(pod.ns(), name);
  } else if (group.empty() && kind == "ReplicationController") {
    found = replication_controllers_.get(pod.ns(), name);
  } else {
    return make_error(Reason::kInvalid, std::string(kind) + (group.empty() ? "" : "." + std::string(group)) +
                                            " does not implement the scale subresource");
  }
  if (found && found->uid() == owner->at("uid").as_string()) return std::optional<disruption::Scale>(scale(*found));
  return make_error(Reason::kInvalid, "found no controllers for pod \"" + std::string(pod.name()) + "\"");
}

void DisruptionController::work(const std::string& key, client::WorkQueue::Finish finish) {
  disruption::Observed observed;
  observed.budget = budgets_.get(key);
  if (!observed.budget) return finish(client::Outcome::done());
  auto selector = object::LabelSelector::from_document(observed.budget->spec().at("selector"));
  for (ObjectPtr& pod : pods_.list_namespace(observed.budget->ns())) {
    if (selector.ok() && selector->matches(pod->metadata().at("labels"))) observed.pods.push_back(std::move(pod));
  }
  observed.scale_of = [this](const object::Object& pod) { return scale_of(pod); };
  disruption::Decision decision = disruption::decide(observed, loop_.wall_now());
  client::Plan plan;
  plan.look_again = decision.look_again;
  if (observed.pods.empty()) {
    plan.events.push_back({observed.budget, "Normal", "NoPods", "No matching pods found", ""});
  }
  if (!decision.unmanaged.empty()) {
    plan.events.push_back({observed.budget, "Warning", "UnmanagedPods",
                           "Pods selected by this PodDisruptionBudget were found to be unmanaged. To account for them "
                           "set .spec.minAvailable to an integer value",
                           ""});
  }
  if (decision.failure) {
    plan.events.push_back({observed.budget, "Warning", "CalculateExpectedPodCountFailed",
                           "Failed to calculate the number of expected pods: " + *decision.failure, ""});
  }
  if (!(decision.status == observed.budget->status())) {
    Value document = observed.budget->document();
    document.set("status", std::move(decision.status));
    plan.steps.push_back({.request = update_request(kDisruptionBudgets, std::move(document), "status")});
  }
  client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
}

}  // namespace stead::controllers
