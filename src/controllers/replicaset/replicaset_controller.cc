#include "controllers/replicaset/replicaset_controller.h"

#include "controllers/apply_plans.h"
#include "controllers/owner_references.h"
#include "controllers/pod_batch.h"
#include "controllers/replicaset/replicaset_status.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;

}  // namespace

ReplicaSetController::ReplicaSetController(client::ApiTransport& transport, loop::Loop& loop,
                                           client::EventRecorder& events, client::InformerSet& informers,
                                           const ResourceRef& resource, std::string kind)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      kind_(std::move(kind)),
      sets_(informers.get(resource)),
      pods_(informers.get(kPods, "orphan", index_orphans)),
      expectations_(std::make_shared<Expectations>()),
      queue_(loop, resource.resource, kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  sets_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!after) expectations_->forget(std::string(before->uid()));
    queue_.add(client::object_key(after ? *after : *before));
  });
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { pod_changed(before, after); });
}

void ReplicaSetController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void ReplicaSetController::pod_changed(const ObjectPtr& before, const ObjectPtr& after) {
  const object::Object& pod = after ? *after : *before;
  if (const Value* owner = controller_of(pod); owner != nullptr && owner->at("kind").as_string() == kind_) {
    std::string uid(owner->at("uid").as_string());
    if (!before) expectations_->creation_settled(uid);
    if (!after || after->deleting()) expectations_->deletion_settled(uid, std::string(pod.uid()));
  }
  // A change of owner concerns both owners.
  if (before) enqueue_owner(*before);
  if (after) enqueue_owner(*after);
}

void ReplicaSetController::enqueue_owner(const object::Object& pod) {
  if (const Value* owner = controller_of(pod)) {
    if (owner->at("kind").as_string() == kind_) {
      queue_.add(client::object_key(pod.ns(), owner->at("name").as_string()));
    }
    return;
  }
  if (pod.deleting()) return;
  for (const ObjectPtr& set : sets_.list_namespace(pod.ns())) {
    auto selector = replicaset::selector_of(*set);
    if (selector.ok() && selector->matches(pod.metadata().at("labels"))) queue_.add(client::object_key(*set));
  }
}

std::optional<replicaset::Observed> ReplicaSetController::observe(const std::string& key) const {
  replicaset::Observed observed;
  observed.set = sets_.get(key);
  if (!observed.set) return std::nullopt;
  observed.pods = pods_.by_index("controller", std::string(observed.set->uid()));
  for (ObjectPtr& orphan : pods_.by_index("orphan", std::string(observed.set->ns()))) {
    observed.pods.push_back(std::move(orphan));
  }
  observed.related = [this, set = observed.set] { return related_pods(*set); };
  return observed;
}

std::vector<ObjectPtr> ReplicaSetController::related_pods(const object::Object& set) const {
  const Value* owner = controller_of(set);
  if (owner == nullptr) return pods_.by_index("controller", std::string(set.uid()));
  std::vector<ObjectPtr> related;
  for (const ObjectPtr& sibling : sets_.by_index("controller", std::string(owner->at("uid").as_string()))) {
    for (ObjectPtr& pod : pods_.by_index("controller", std::string(sibling->uid()))) {
      related.push_back(std::move(pod));
    }
  }
  return related;
}

void ReplicaSetController::work(const std::string& key, client::WorkQueue::Finish finish) {
  auto observed = observe(key);
  if (!observed) return finish(client::Outcome::done());
  replicaset::Members members = replicaset::find_members(*observed);
  if (!members.ownership.empty()) {
    // The watch events of these writes bring the next decision.
    return apply_plans(transport_, events_, std::move(members.ownership), std::move(finish));
  }
  if (auto wait = expectations_->outstanding(std::string(observed->set->uid()), loop_.now())) {
    queue_.add_after(key, *wait);
    return write_status(key, std::nullopt, std::move(finish));
  }
  replicaset::Decision decision = replicaset::decide(*observed, members, loop_.wall_now());
  if (decision.creations.empty() && decision.deletions.empty()) {
    return write_status(key, std::nullopt, std::move(finish));
  }
  PodBatch batch{observed->set, std::move(decision.creations), std::move(decision.deletions)};
  run_pod_batch(transport_, events_, loop_, expectations_, std::move(batch),
                [this, key, finish = std::move(finish)](std::optional<Error> failure) mutable {
                  write_status(key, std::move(failure), std::move(finish));
                });
}

void ReplicaSetController::write_status(const std::string& key, std::optional<Error> failure,
                                        client::WorkQueue::Finish finish) {
  client::Outcome outcome;
  outcome.error = failure;
  auto observed = observe(key);
  if (!observed) return finish(std::move(outcome));
  replicaset::Members members = replicaset::find_members(*observed);
  WallTime now = loop_.wall_now();
  outcome.requeue_after = replicaset::next_availability(*observed->set, members, now);
  auto status = replicaset::status_update(*observed->set, members, failure, now);
  if (!status) return finish(std::move(outcome));
  client::Plan plan;
  plan.steps.push_back({.request = std::move(*status)});
  client::apply_plan(transport_, events_, std::move(plan),
                     [outcome = std::move(outcome), finish = std::move(finish)](client::Outcome written) {
                       client::Outcome both = outcome;
                       if (!both.error) both.error = std::move(written.error);
                       finish(std::move(both));
                     });
}

}  // namespace stead::controllers
