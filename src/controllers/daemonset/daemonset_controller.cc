#include "controllers/daemonset/daemonset_controller.h"

#include <algorithm>

#include "controllers/apply_plans.h"
#include "controllers/daemonset/daemonset_status.h"
#include "controllers/owner_references.h"
#include "controllers/pod_batch.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 8;
constexpr std::string_view kKind = "DaemonSet";
constexpr Duration kFailureDelayFirst = std::chrono::seconds(1);
constexpr Duration kFailureDelayLongest = std::chrono::minutes(15);

// The part of a revision's name behind the set's.
std::string hash_of_name(const object::Object& set, const std::string& revision) {
  size_t prefix = set.name().size() + 1;
  return revision.size() > prefix ? revision.substr(prefix) : revision;
}

}  // namespace

DaemonSetController::DaemonSetController(client::ApiTransport& transport, loop::Loop& loop,
                                         client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      sets_(informers.get(kDaemonSets)),
      pods_(informers.get(kPods, "orphan", index_orphans)),
      nodes_(informers.get(kNodes)),
      revisions_(informers.get(kRevisions)),
      expectations_(std::make_shared<Expectations>()),
      queue_(loop, "daemonset", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  sets_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!after) {
      expectations_->forget(std::string(before->uid()));
      failures_.erase(std::string(before->uid()));
    }
    queue_.add(client::object_key(after ? *after : *before));
  });
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { pod_changed(before, after); });
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { node_changed(before, after); });
}

void DaemonSetController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void DaemonSetController::node_changed(const ObjectPtr& before, const ObjectPtr& after) {
  // Heartbeats change nothing here.
  bool same = before && after && before->spec() == after->spec() &&
              before->metadata().at("labels") == after->metadata().at("labels");
  if (same) return;
  for (const ObjectPtr& set : sets_.list()) queue_.add(client::object_key(*set));
}

void DaemonSetController::pod_changed(const ObjectPtr& before, const ObjectPtr& after) {
  const object::Object& pod = after ? *after : *before;
  if (const Value* owner = controller_of(pod); owner != nullptr && owner->at("kind").as_string() == kKind) {
    std::string uid(owner->at("uid").as_string());
    if (!before) expectations_->creation_settled(uid);
    if (!after || after->deleting()) expectations_->deletion_settled(uid, std::string(pod.uid()));
  }
  if (before) enqueue_owner(*before);
  if (after) enqueue_owner(*after);
}

void DaemonSetController::enqueue_owner(const object::Object& pod) {
  if (const Value* owner = controller_of(pod)) {
    if (owner->at("kind").as_string() == kKind) {
      queue_.add(client::object_key(pod.ns(), owner->at("name").as_string()));
    }
    return;
  }
  if (pod.deleting()) return;
  for (const ObjectPtr& set : sets_.list_namespace(pod.ns())) {
    auto selector = object::LabelSelector::from_document(set->spec().at("selector"));
    if (selector.ok() && selector->matches(pod.metadata().at("labels"))) queue_.add(client::object_key(*set));
  }
}

std::optional<daemonset::Observed> DaemonSetController::observe(const std::string& key) const {
  daemonset::Observed observed;
  observed.set = sets_.get(key);
  if (!observed.set) return std::nullopt;
  std::string uid(observed.set->uid());
  observed.pods = pods_.by_index("controller", uid);
  for (ObjectPtr& orphan : pods_.by_index("orphan", std::string(observed.set->ns()))) {
    observed.pods.push_back(std::move(orphan));
  }
  observed.nodes = nodes_.list();
  if (auto known = failures_.find(uid); known != failures_.end()) {
    for (const auto& [node, failure] : known->second.nodes) observed.retry_at[node] = failure.retry_at;
  }
  return observed;
}

statefulset::History DaemonSetController::history_of(const daemonset::Observed& observed) const {
  const object::Object& set = *observed.set;
  return statefulset::read_history(set, revisions_.by_index("controller", std::string(set.uid())),
                                   [this, &set](std::string_view name) { return revisions_.get(set.ns(), name); });
}

void DaemonSetController::note_failures(const ObjectPtr& set, const std::vector<ObjectPtr>& failed) {
  for (const ObjectPtr& pod : failed) {
    std::string node(daemonset::node_of(*pod));
    Failures::OfNode& failure = failures_[std::string(set->uid())].nodes[node];
    failure.delay =
        failure.delay == Duration::zero() ? kFailureDelayFirst : std::min(failure.delay * 2, kFailureDelayLongest);
    failure.retry_at = loop_.wall_now() + failure.delay;
    events_.record({set, "Warning", "FailedDaemonPod",
                    "Found failed daemon pod " + std::string(pod->ns()) + "/" + std::string(pod->name()) + " on node " +
                        node + ", will try to kill it",
                    ""});
  }
}

void DaemonSetController::work(const std::string& key, client::WorkQueue::Finish finish) {
  auto observed = observe(key);
  if (!observed) return finish(client::Outcome::done());
  if (observed->set->deleting()) return write_status(key, client::Outcome::done(), std::move(finish));
  daemonset::Members members = daemonset::find_members(*observed);
  if (!members.ownership.empty()) {
    // The watch events of these writes bring the next decision.
    return apply_plans(transport_, events_, std::move(members.ownership), std::move(finish));
  }
  statefulset::History history = history_of(*observed);
  std::string hash = hash_of_name(*observed->set, history.update);
  client::Plan plan;
  if (history.write) plan.steps.push_back(std::move(*history.write));
  auto revisions = revisions_.by_index("controller", std::string(observed->set->uid()));
  for (client::Plan::Step& step : statefulset::truncate_history(*observed->set, revisions, history, members.pods)) {
    plan.steps.push_back(std::move(step));
  }
  if (plan.steps.empty()) return change_pods(key, hash, std::move(finish));
  client::apply_plan(transport_, events_, std::move(plan),
                     [this, key, hash, finish = std::move(finish)](client::Outcome outcome) mutable {
                       if (outcome.error) return finish(std::move(outcome));
                       change_pods(key, hash, std::move(finish));
                     });
}

void DaemonSetController::change_pods(const std::string& key, const std::string& hash,
                                      client::WorkQueue::Finish finish) {
  auto observed = observe(key);
  if (!observed) return finish(client::Outcome::done());
  std::string uid(observed->set->uid());
  if (auto wait = expectations_->outstanding(uid, loop_.now())) {
    return write_status(key, client::Outcome::again_after(*wait), std::move(finish));
  }
  daemonset::Members members = daemonset::find_members(*observed);
  daemonset::Decision decision = daemonset::decide(*observed, members, hash, loop_.wall_now());
  client::Outcome outcome;
  outcome.requeue_after = decision.look_again;
  if (decision.creations.empty() && decision.deletions.empty()) {
    return write_status(key, std::move(outcome), std::move(finish));
  }
  note_failures(observed->set, decision.failed);
  PodBatch batch{observed->set, std::move(decision.creations), std::move(decision.deletions)};
  run_pod_batch(
      transport_, events_, loop_, expectations_, std::move(batch),
      [this, key, outcome = std::move(outcome), finish = std::move(finish)](std::optional<Error> failure) mutable {
        outcome.error = std::move(failure);
        write_status(key, std::move(outcome), std::move(finish));
      });
}

void DaemonSetController::write_status(const std::string& key, client::Outcome outcome,
                                       client::WorkQueue::Finish finish) {
  auto observed = observe(key);
  if (!observed) return finish(std::move(outcome));
  daemonset::Members members = daemonset::find_members(*observed);
  statefulset::History history = history_of(*observed);
  WallTime now = loop_.wall_now();
  auto soonest = daemonset::next_availability(*observed->set, members, now);
  if (soonest) outcome.requeue_after = std::min(*soonest, outcome.requeue_after.value_or(*soonest));
  auto status = daemonset::status_update(*observed, members, hash_of_name(*observed->set, history.update),
                                         history.collision_count, now);
  if (!status) return finish(std::move(outcome));
  client::Plan plan;
  plan.steps.push_back({.request = std::move(*status)});
  client::apply_plan(transport_, events_, std::move(plan),
                     [outcome = std::move(outcome), finish = std::move(finish)](client::Outcome written) mutable {
                       if (!outcome.error) outcome.error = std::move(written.error);
                       finish(std::move(outcome));
                     });
}

}  // namespace stead::controllers
