#include "controllers/statefulset/statefulset_controller.h"

#include <set>

#include "controllers/apply_plans.h"
#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "controllers/statefulset/identity.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;

// "ns/web" for a pod whose name a set "web" could have given.
std::vector<std::string> index_by_named_set(const Object& pod) {
  auto parsed = statefulset::parse_pod_name(pod.name());
  if (!parsed) return {};
  return {client::object_key(pod.ns(), parsed->set)};
}

}  // namespace

StatefulSetController::StatefulSetController(client::ApiTransport& transport, loop::Loop& loop,
                                             client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      sets_(informers.get(kStatefulSets)),
      pods_(informers.get(kPods, "named-set", index_by_named_set)),
      claims_(informers.get(kClaims)),
      revisions_(informers.get(kRevisions, "orphan", index_orphans)),
      work_queue_(loop, "statefulset", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }),
      status_queue_(loop, "statefulset-status", kWorkers,
                    [this](auto& key, auto finish) { write_status(key, std::move(finish)); }) {
  auto on = [](client::Informer& informer, auto handle) {
    informer.on_change([handle](const ObjectPtr& before, const ObjectPtr& after) {
      // A change of owner concerns both owners.
      if (before) handle(*before);
      if (after) handle(*after);
    });
  };
  on(sets_, [this](const Object& set) { enqueue(client::object_key(set)); });
  on(pods_, [this](const Object& pod) { pod_changed(pod); });
  on(claims_, [this](const Object& claim) { claim_changed(claim); });
  on(revisions_, [this](const Object& revision) { revision_changed(revision); });
}

void StatefulSetController::start() {
  informers_.when_synced([this] {
    work_queue_.start();
    status_queue_.start();
  });
}

void StatefulSetController::enqueue(const std::string& key) {
  work_queue_.add(key);
  status_queue_.add(key);
}

void StatefulSetController::pod_changed(const Object& pod) {
  const Value* owner = controller_of(pod);
  std::string owner_key;
  if (owner != nullptr && owner->at("kind").as_string() == "StatefulSet") {
    owner_key = client::object_key(pod.ns(), owner->at("name").as_string());
    enqueue(owner_key);
  }
  for (const std::string& key : index_by_named_set(pod)) {
    if (key != owner_key && sets_.get(key)) enqueue(key);
  }
}

void StatefulSetController::claim_changed(const Object& claim) {
  auto parsed = statefulset::parse_pod_name(claim.name());
  if (!parsed) return;
  // "data-web" of "data-web-0" ends in the name of the set, after some dash.
  for (size_t dash = parsed->set.find('-'); dash != std::string_view::npos; dash = parsed->set.find('-', dash + 1)) {
    ObjectPtr set = sets_.get(claim.ns(), parsed->set.substr(dash + 1));
    if (set && statefulset::names_claim(*set, claim.name())) enqueue(client::object_key(*set));
  }
}

void StatefulSetController::revision_changed(const Object& revision) {
  const Value* owner = controller_of(revision);
  if (owner != nullptr) {
    if (owner->at("kind").as_string() != "StatefulSet") return;
    enqueue(client::object_key(revision.ns(), owner->at("name").as_string()));
    return;
  }
  for (const ObjectPtr& set : sets_.list_namespace(revision.ns())) enqueue(client::object_key(*set));
}

std::optional<statefulset::Observed> StatefulSetController::observe(const std::string& key) const {
  statefulset::Observed observed;
  observed.set = sets_.get(key);
  if (!observed.set) return std::nullopt;
  std::string uid(observed.set->uid());
  observed.pods = pods_.by_index("named-set", key);
  for (ObjectPtr& pod : pods_.by_index("controller", uid)) {
    auto parsed = statefulset::parse_pod_name(pod->name());
    if (!parsed || parsed->set != observed.set->name()) observed.pods.push_back(std::move(pod));
  }
  observed.revisions = revisions_.by_index("controller", uid);
  for (ObjectPtr& orphan : revisions_.by_index("orphan", std::string(observed.set->ns()))) {
    observed.revisions.push_back(std::move(orphan));
  }
  observed.claim = [this, ns = std::string(observed.set->ns())](std::string_view name) {
    return claims_.get(ns, name);
  };
  observed.revision = [this, ns = std::string(observed.set->ns())](std::string_view name) {
    return revisions_.get(ns, name);
  };
  return observed;
}

void StatefulSetController::work(const std::string& key, client::WorkQueue::Finish finish) {
  auto observed = observe(key);
  if (!observed) return finish(client::Outcome::done());
  statefulset::Decision decision = statefulset::decide(*observed, loop_.wall_now());
  if (decision.look_again) decision.work.push_back({.look_again = decision.look_again});
  apply_plans(transport_, events_, std::move(decision.work), std::move(finish));
}

void StatefulSetController::write_status(const std::string& key, client::WorkQueue::Finish finish) {
  auto observed = observe(key);
  if (!observed) return finish(client::Outcome::done());
  statefulset::Decision decision = statefulset::decide(*observed, loop_.wall_now());
  client::Plan plan;
  if (decision.status) plan.steps.push_back({.request = std::move(*decision.status)});
  plan.look_again = decision.look_again;
  client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
}

}  // namespace stead::controllers
