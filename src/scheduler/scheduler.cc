#include "scheduler/scheduler.h"

#include "kinds/core/pod_state.h"
#include "kinds/registry.h"
#include "scheduler/scheduler_requests.h"

namespace stead::scheduler {
namespace {

// Bindings under way at once: enough for the store to commit them in groups.
constexpr size_t kConcurrency = 128;
constexpr Duration kPreemptionRetry = std::chrono::seconds(1);
constexpr std::string_view kBindCompleted = "pv.kubernetes.io/bind-completed";
constexpr std::string_view kSelectedNode = "volume.kubernetes.io/selected-node";

bool is_finished(const Object& pod) { return kinds::is_pod_terminated(pod.document()); }

// What of a node the filters read.
bool same_for_scheduling(const Object& a, const Object& b) {
  return a.spec() == b.spec() && a.status().at("allocatable") == b.status().at("allocatable") &&
         a.metadata().at("labels") == b.metadata().at("labels");
}

// A pod on a node was resized and left room.
bool has_shrunk(const object::Object& before, const object::Object& after) {
  kinds::Resources then = kinds::pod_requests_held(before.document());
  kinds::Resources now = kinds::pod_requests_held(after.document());
  return now.cpu_milli < then.cpu_milli || now.memory < then.memory;
}

client::Informer* find_budgets(client::InformerSet& informers) {
  bool served = kinds::registry().find("policy", "poddisruptionbudgets") != nullptr;
  return served ? &informers.get({"policy", "poddisruptionbudgets"}) : nullptr;
}

}  // namespace

Scheduler::Scheduler(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                     client::InformerSet& informers, std::string name)
    : transport_(transport),
      loop_(loop),
      events_(events),
      informers_(informers),
      name_(std::move(name)),
      pods_(informers.get({"", "pods"})),
      nodes_(informers.get({"", "nodes"})),
      claims_(informers.get({"", "persistentvolumeclaims"})),
      volumes_(informers.get({"", "persistentvolumes"})),
      classes_(informers.get({"storage.k8s.io", "storageclasses"})),
      namespaces_(informers.get({"", "namespaces"})),
      budgets_informer_(find_budgets(informers)),
      metrics_(name_),
      queue_(
          loop, "scheduler", kConcurrency, [this](auto& key, auto finish) { schedule(key, std::move(finish)); },
          [this](auto& key) {
            ObjectPtr pod = pods_.get(key);
            return pod ? pod->spec().at("priority").as_int() : 0;
          }) {
  storage_.claim = [this](const std::string& ns, std::string_view claim) { return claims_.get(ns, claim); };
  storage_.volume = [this](std::string_view volume) { return volumes_.get(volume); };
  storage_.storage_class = [this](std::string_view storage_class) { return classes_.get(storage_class); };
  storage_.volumes = [this] { return volumes_.list(); };
  namespace_labels_ = [this](std::string_view ns) -> const Value& {
    static const Value kNone;
    ObjectPtr found = namespaces_.get(ns);
    return found ? found->metadata().at("labels") : kNone;  // the informer keeps `found` alive
  };
  if (budgets_informer_ != nullptr) {
    budgets_ = [this](std::string_view ns) { return budgets_informer_->list_namespace(ns); };
  }
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { pod_changed(before, after); });
  nodes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { node_changed(before, after); });
  for (client::Informer* informer : {&claims_, &volumes_, &classes_}) {
    informer->on_change([this](const ObjectPtr&, const ObjectPtr&) { storage_changed(); });
  }
}

void Scheduler::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void Scheduler::node_changed(const ObjectPtr& before, const ObjectPtr& after) {
  if (!after) {
    cluster_.remove_node(before->name());
    // Fewer nodes is news too: the message counts them.
    return retry([](const Unschedulable&) { return true; });
  }
  cluster_.set_node(after);
  if (!before || !same_for_scheduling(*before, *after)) retry([](const Unschedulable&) { return true; });
}

void Scheduler::pod_changed(const ObjectPtr& before, const ObjectPtr& after) {
  const ObjectPtr& pod = after ? after : before;
  std::string key = client::object_key(*pod);
  std::string_view node = after ? after->spec().at("nodeName").as_string() : std::string_view();
  if (!node.empty() && !is_finished(*after)) {
    bool news = !cluster_.has_pod(key);
    bool relabelled = before && before->metadata().at("labels") != after->metadata().at("labels");
    assumed_.erase(key);
    unschedulable_.erase(key);
    metrics_.set_unschedulable(unschedulable_.size());
    cluster_.end_nomination(key);
    cluster_.set_pod(std::make_shared<PodInfo>(after), std::string(node));
    if (before && !unschedulable_.empty() && has_shrunk(*before, *after)) {
      return retry([](const Unschedulable&) { return true; });
    }
    if (news || relabelled) retry([](const Unschedulable& one) { return one.waits_for_pods; });
    return;
  }
  if (!after || is_finished(*after) || !wants_node(*after, name_)) {
    bool left = cluster_.has_pod(key);
    forget(key);
    cluster_.remove_pod(key);
    cluster_.end_nomination(key);
    unschedulable_.erase(key);
    metrics_.set_unschedulable(unschedulable_.size());
    if (left) retry([](const Unschedulable&) { return true; });
    return;
  }
  if (!after->status().at("nominatedNodeName").empty() && !assumed_.contains(key)) {
    auto info = std::make_shared<PodInfo>(after);
    cluster_.nominate(info, info->nominated_node);
  }
  // Our own report of failure comes back as a change of status; only what filters read is worth another try.
  bool same = before && before->uid() == after->uid() && before->spec() == after->spec() &&
              before->metadata().at("labels") == after->metadata().at("labels");
  if (!same) queue_.add(key);
}

void Scheduler::storage_changed() {
  retry([](const Unschedulable& one) { return one.waits_for_storage; });
  for (const auto& [key, assumed] : assumed_) {
    if (!assumed.binding) queue_.add(key);
  }
}

void Scheduler::retry(const std::function<bool(const Unschedulable&)>& which) {
  for (auto at = unschedulable_.begin(); at != unschedulable_.end();) {
    if (!which(at->second)) {
      ++at;
      continue;
    }
    queue_.add(at->first);
    at = unschedulable_.erase(at);
  }
  metrics_.set_unschedulable(unschedulable_.size());
}

void Scheduler::schedule(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr pod = pods_.get(key);
  if (!pod || !wants_node(*pod, name_)) {
    forget(key);
    return finish(client::Outcome::done());
  }
  if (assumed_.contains(key)) return bind_when_claims_are(key, std::move(finish));
  choose(key, pod, std::move(finish));
}

void Scheduler::choose(const std::string& key, const ObjectPtr& pod, client::WorkQueue::Finish finish) {
  auto info = std::make_shared<PodInfo>(pod);
  Instant begun = loop_.now();
  Choice choice = choose_node(*info, {cluster_, storage_, namespace_labels_, budgets_}, first_node_);
  metrics_.searched(loop_.now() - begun);
  first_node_ = choice.next_first;
  if (choice.node.empty()) return report_failure(key, pod, choice, std::move(finish));
  assumed_[key] = {info, choice.node};
  cluster_.set_pod(info, choice.node);
  cluster_.end_nomination(key);
  if (choice.claims.empty()) return bind(key, std::move(finish));
  settle_claims(key, choice, std::move(finish));
}

void Scheduler::settle_claims(const std::string& key, const Choice& choice, client::WorkQueue::Finish finish) {
  client::Plan plan;
  for (const ClaimChoice& claim : choice.claims) {
    std::string_view selected = claim.claim->metadata().at({"annotations", kSelectedNode}).as_string();
    if (!claim.volume && selected == choice.node) continue;
    plan.steps.push_back({.request = settle_claim_request(claim, choice.node)});
  }
  client::apply_plan(transport_, events_, std::move(plan), [this, key, finish](client::Outcome outcome) {
    if (outcome.error) forget(key);
    finish(std::move(outcome));
    // Claims may have been bound while this was under way; their events came too early to count.
    queue_.add(key);
  });
}

void Scheduler::bind_when_claims_are(const std::string& key, client::WorkQueue::Finish finish) {
  const Assumed& assumed = assumed_.at(key);
  VolumeBinding volumes(*assumed.pod, cluster_, storage_);
  if (volumes.failure().empty() && volumes.all_bound()) return bind(key, std::move(finish));
  // A provisioner that cannot serve the node takes the annotation away, and a reserved volume can be lost: choose anew.
  bool still_meant = true;
  for (const Value& volume : assumed.pod->pod->spec().at("volumes").items()) {
    ObjectPtr claim = storage_.claim(std::string(assumed.pod->pod->ns()),
                                     volume.at({"persistentVolumeClaim", "claimName"}).as_string());
    if (!claim || claim->metadata().at("annotations").find(kBindCompleted) != nullptr) continue;
    bool selected = claim->metadata().at({"annotations", kSelectedNode}).as_string() == assumed.node;
    bool reserved = false;
    for (const ObjectPtr& candidate : volumes_.list()) {
      reserved = reserved || candidate->spec().at({"claimRef", "uid"}).as_string() == claim->uid();
    }
    still_meant = still_meant && (selected || reserved);
  }
  if (still_meant) return finish(client::Outcome::done());
  ObjectPtr pod = assumed.pod->pod;
  forget(key);
  choose(key, pod, std::move(finish));
}

void Scheduler::bind(const std::string& key, client::WorkQueue::Finish finish) {
  Assumed& assumed = assumed_.at(key);
  assumed.binding = true;
  ObjectPtr pod = assumed.pod->pod;
  std::string node = assumed.node;
  transport_.call(
      binding_request(*pod, node), [this, key, pod, node, finish](const Result<client::Response>& response) {
        if (response.ok()) {
          metrics_.tried(SchedulerMetrics::Result::kScheduled);
          events_.record(
              {pod, "Normal", "Scheduled",
               "Successfully assigned " + std::string(pod->ns()) + "/" + std::string(pod->name()) + " to " + node, ""});
          return finish(client::Outcome::done());
        }
        forget(key);
        // Conflict: somebody else bound it, or it is another pod of this name; NotFound: it is gone. Events tell.
        if (response.error().reason == Reason::kNotFound || response.error().reason == Reason::kConflict) {
          return finish(client::Outcome::done());
        }
        metrics_.tried(SchedulerMetrics::Result::kError);
        events_.record({pod, "Warning", "FailedScheduling", "binding rejected: " + response.error().message, ""});
        finish(client::Outcome::failed(response.error()));
      });
}

void Scheduler::forget(const std::string& key) {
  if (assumed_.erase(key) > 0) cluster_.remove_pod(key);
}

void Scheduler::make_room(const std::string& key, const ObjectPtr& pod, const Choice& choice) {
  if (choice.nominated_node.empty()) return cluster_.end_nomination(key);
  auto preemptor = std::make_shared<PodInfo>(pod);
  std::vector<PodInfoPtr> outranked;
  const auto* nominated = cluster_.nominated(choice.nominated_node);
  if (nominated != nullptr && !choice.victims.empty()) {
    for (const auto& [other_key, other] : *nominated) {
      if (other->priority < preemptor->priority) outranked.push_back(other);
    }
  }
  cluster_.nominate(preemptor, choice.nominated_node);
  // Those that were promised the same room look for another.
  for (const PodInfoPtr& other : outranked) {
    std::string other_key = client::object_key(*other->pod);
    cluster_.end_nomination(other_key);
    client::Plan plan;
    plan.steps.push_back({.request = give_up_room_request(*other->pod), .tolerated = {Reason::kNotFound}});
    client::apply_plan(transport_, events_, std::move(plan), [](const client::Outcome&) {});
    queue_.add(other_key);
  }
  for (const PodInfoPtr& victim : choice.victims) {
    if (victim->pod->deleting()) continue;
    client::apply_plan(transport_, events_, preempt_plan(victim->pod, *pod, choice.nominated_node, loop_.wall_now()),
                       [this, key](const client::Outcome& outcome) {
                         // Nothing that leaves will bring the preemptor back: look again.
                         if (outcome.error) queue_.add_after(key, kPreemptionRetry);
                       });
  }
}

void Scheduler::report_failure(const std::string& key, const ObjectPtr& pod, const Choice& choice,
                               client::WorkQueue::Finish finish) {
  unschedulable_[key] = {choice.waits_for_storage, choice.waits_for_pods};
  metrics_.set_unschedulable(unschedulable_.size());
  metrics_.tried(SchedulerMetrics::Result::kUnschedulable);
  make_room(key, pod, choice);
  client::Plan plan;
  plan.events.push_back({pod, "Warning", "FailedScheduling", choice.failure, ""});
  if (auto request = unschedulable_request(*pod, choice.failure, choice.nominated_node, loop_.wall_now())) {
    plan.steps.push_back({.request = std::move(*request)});
  }
  client::apply_plan(transport_, events_, std::move(plan), std::move(finish));
}

}  // namespace stead::scheduler
