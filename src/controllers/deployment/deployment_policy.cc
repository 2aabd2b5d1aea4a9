#include "controllers/deployment/deployment_policy.h"

#include <algorithm>

#include "controllers/deployment/deployment_status.h"
#include "controllers/deployment/revisions.h"
#include "controllers/deployment/rollback.h"
#include "controllers/deployment/rollout_counts.h"
#include "controllers/owner_references.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers::deployment {
namespace {

using client::Plan;

constexpr int64_t kNoHistoryLimit = 2147483647;

// A replica set with the changes decided so far.
struct Draft {
  ObjectPtr before;  // null: it is to be made
  Value document;
  bool changed = false;

  int64_t replicas() const { return document.at({"spec", "replicas"}).as_int(); }
  int64_t available() const { return document.at({"status", "availableReplicas"}).as_int(); }
  std::string name() const { return std::string(document.at({"metadata", "name"}).as_string()); }
};

class Decider {
 public:
  Decider(const Observed& observed, std::vector<ObjectPtr> sets, WallTime now)
      : observed_(observed),
        deployment_(*observed.deployment),
        sets_(std::move(sets)),
        now_(now),
        status_(deployment_.status().is_null() ? Value::object() : deployment_.status()),
        metadata_(deployment_.metadata()),
        wanted_(wanted_replicas(deployment_)),
        bounds_(bounds_of(deployment_)) {
    sort_by_age(sets_);
    new_set_ = find_new_set(deployment_, sets_);
    for (const ObjectPtr& set : sets_) {
      if (set == new_set_) {
        fresh_.emplace(Draft{set, set->document()});
      } else {
        old_.push_back({set, set->document()});
      }
    }
  }

  Decision decide() {
    if (deployment_.deleting()) {
      count_replicas(deployment_, sets_, new_set_, status_, now_);
      return finish();
    }
    note_pause();
    bool paused = deployment_.spec().at("paused").as_bool();
    if (paused || was_scaled()) {
      sync_existing_set();
      scale_existing();
      if (paused) clean_up();
      count_replicas(deployment_, sets_, new_set_, status_, now_);
      return finish();
    }
    rolls(deployment_) ? roll() : recreate();
    count_replicas(deployment_, sets_, new_set_, status_, now_);
    judge_progress(deployment_, sets_, new_set_, status_, now_);
    return finish();
  }

 private:
  // The deadline does not run while the deployment is paused.
  void note_pause() {
    if (!progress_deadline(deployment_)) return;
    const Value* progressing = find_condition(status_, kProgressing);
    std::string_view reason = progressing == nullptr ? "" : progressing->at("reason").as_string();
    if (reason == "ProgressDeadlineExceeded") return;
    bool paused = deployment_.spec().at("paused").as_bool();
    if (paused && reason != "DeploymentPaused") {
      set_condition(status_, kProgressing, "Unknown", "DeploymentPaused", "Deployment is paused", now_);
    } else if (!paused && reason == "DeploymentPaused") {
      set_condition(status_, kProgressing, "Unknown", "DeploymentResumed", "Deployment is resumed", now_);
    }
  }

  // Whether spec.replicas differs from what some set with pods was sized for.
  bool was_scaled() const {
    return std::any_of(sets_.begin(), sets_.end(), [&](const ObjectPtr& set) {
      const Value* noted = set->metadata().find({"annotations", kDesiredReplicas});
      return set->spec().at("replicas").as_int() > 0 && noted != nullptr &&
             number_annotation(set->metadata(), kDesiredReplicas) != wanted_;
    });
  }

  int64_t highest_old_revision() const {
    int64_t highest = 0;
    for (const Draft& set : old_) highest = std::max(highest, number_annotation(set.before->metadata(), kRevision));
    return highest;
  }

  // The new set's annotations, and the deployment's revision number, which is that set's.
  void sync_existing_set() {
    if (!fresh_) return;
    Value before = fresh_->document;
    annotate_set(deployment_, highest_old_revision(), fresh_->document);
    int64_t seconds = deployment_.spec().at("minReadySeconds").as_int();
    if (fresh_->document.at({"spec", "minReadySeconds"}).as_int() != seconds) {
      fresh_->document.set({"spec", "minReadySeconds"}, seconds);
    }
    fresh_->changed = !(before == fresh_->document);
    take_revision();
    if (progress_deadline(deployment_) && find_condition(status_, kProgressing) == nullptr) {
      set_condition(status_, kProgressing, "True", "FoundNewReplicaSet",
                    "Found new replica set \"" + fresh_->name() + "\"", now_);
    }
  }

  void take_revision() {
    metadata_.set({"annotations", kRevision}, fresh_->document.at({"metadata", "annotations", kRevision}));
  }

  // False if a set of another template has the name: then the count of collisions goes up, and a new name is tried.
  bool make_new_set() {
    int64_t collisions = status_.at("collisionCount").as_int();
    std::string hash = hash_of(deployment_, collisions);
    Draft draft{nullptr, make_set(deployment_, hash)};
    if (observed_.set(draft.name())) {
      status_.set("collisionCount", collisions + 1);
      return false;
    }
    draft.document.set({"spec", "replicas"}, new_set_size(deployment_, total_replicas(), 0));
    annotate_set(deployment_, highest_old_revision(), draft.document);
    annotate_size(deployment_, draft.document);
    fresh_ = std::move(draft);
    take_revision();
    if (progress_deadline(deployment_)) {
      set_condition(status_, kProgressing, "True", "NewReplicaSetCreated",
                    "Created new replica set \"" + fresh_->name() + "\"", now_);
    }
    return true;
  }

  int64_t total_replicas() const {
    int64_t total = fresh_ ? fresh_->replicas() : 0;
    for (const Draft& set : old_) total += set.replicas();
    return total;
  }

  // Returns whether the size was another.
  bool resize(Draft& set, int64_t replicas) {
    if (set.replicas() == replicas) return false;
    resize_and_annotate(set, replicas);
    return true;
  }

  void resize_and_annotate(Draft& set, int64_t replicas) {
    Value before = set.document;
    set.document.set({"spec", "replicas"}, replicas);
    annotate_size(deployment_, set.document);
    set.changed = set.changed || !(before == set.document);
  }

  void roll() {
    if (fresh_) {
      sync_existing_set();
    } else {
      make_new_set();
      return;
    }
    int64_t size =
        fresh_->replicas() > wanted_ ? wanted_ : new_set_size(deployment_, total_replicas(), fresh_->replicas());
    if (resize(*fresh_, size)) return;
    if (shrink_old_sets()) return;
    clean_up_if_complete();
  }

  bool shrink_old_sets() {
    int64_t least_available = wanted_ - bounds_.unavailable;
    // New pods that are not available yet count as missing already.
    int64_t missing = fresh_->replicas() - fresh_->available();
    int64_t budget = total_replicas() - least_available - missing;
    if (budget <= 0) return false;
    bool shrunk = shrink(budget, [](const Draft& set) { return set.replicas() - set.available(); });
    int64_t available = fresh_->available();
    for (const Draft& set : old_) available += set.available();
    return shrink(available - least_available, [](const Draft& set) { return set.replicas(); }) || shrunk;
  }

  // Takes up to `budget` pods from the old sets, the oldest first, no more than `most` from each.
  template <class Most>
  bool shrink(int64_t budget, Most most) {
    bool shrunk = false;
    for (Draft& set : old_) {
      int64_t taken = std::min({budget, most(set), set.replicas()});
      if (taken <= 0) continue;
      shrunk = resize(set, set.replicas() - taken) || shrunk;
      budget -= taken;
    }
    return shrunk;
  }

  void recreate() {
    sync_existing_set();
    bool shrunk = false;
    for (Draft& set : old_) shrunk = resize(set, 0) || shrunk;
    if (shrunk || old_pods_run()) return;
    if (!fresh_) {
      make_new_set();
      return;
    }
    if (!resize(*fresh_, wanted_)) clean_up_if_complete();
  }

  bool old_pods_run() const {
    return std::any_of(old_.begin(), old_.end(), [&](const Draft& set) {
      if (set.before->status().at("replicas").as_int() > 0) return true;
      std::vector<ObjectPtr> pods = observed_.pods(*set.before);
      return std::any_of(pods.begin(), pods.end(), [](const ObjectPtr& pod) { return !is_finished(*pod); });
    });
  }

  bool new_set_is_saturated() const {
    return fresh_ && fresh_->replicas() == wanted_ && fresh_->available() == wanted_ &&
           number_annotation(fresh_->document.at("metadata"), kDesiredReplicas) == wanted_;
  }

  // Sizes of the sets there are, when spec.replicas has changed or the deployment is paused.
  void scale_existing() {
    std::vector<Draft*> active;  // oldest first
    auto old = old_.begin();
    for (const ObjectPtr& set : sets_) {
      Draft& draft = set == new_set_ ? *fresh_ : *old++;
      if (draft.replicas() > 0) active.push_back(&draft);
    }
    if (active.empty() && fresh_) active.push_back(&*fresh_);
    if (active.empty() && !old_.empty()) active.push_back(&old_.back());
    if (active.empty()) return;
    if (active.size() == 1) {
      resize_and_annotate(*active[0], wanted_);
    } else if (new_set_is_saturated()) {
      for (Draft& set : old_) resize(set, 0);
    } else if (rolls(deployment_)) {
      scale_in_proportion(std::move(active));
    } else {
      // Recreate ends the old ones next; that the change of size has been seen must not keep it from doing so.
      for (Draft* set : active) resize_and_annotate(*set, set->replicas());
    }
  }

  void scale_in_proportion(std::vector<Draft*> active) {
    int64_t total = 0;
    for (const Draft* set : active) total += set->replicas();
    bool grows = wanted_ > 0 && wanted_ + bounds_.surge > total;
    // Of equally large sets the newer gains first and the older loses first.
    if (grows) std::reverse(active.begin(), active.end());
    std::stable_sort(active.begin(), active.end(),
                     [](const Draft* a, const Draft* b) { return a->replicas() > b->replicas(); });
    std::vector<Share> shares;
    shares.reserve(active.size());
    for (const Draft* set : active) {
      shares.push_back({set->replicas(), number_annotation(set->document.at("metadata"), kMaxReplicas)});
    }
    std::vector<int64_t> sizes = proportional_sizes(deployment_, shares);
    for (size_t i = 0; i < active.size(); ++i) resize_and_annotate(*active[i], sizes[i]);
  }

  void clean_up_if_complete() {
    if (is_complete(deployment_, deployment_.status())) clean_up();
  }

  // Deletes the old sets of the lowest revisions beyond the limit that have no pods.
  void clean_up() {
    const Value* limit = deployment_.spec().find("revisionHistoryLimit");
    if (limit == nullptr || limit->as_int() == kNoHistoryLimit) return;
    std::vector<ObjectPtr> candidates;
    for (const Draft& set : old_) {
      if (!set.before->deleting()) candidates.push_back(set.before);
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
      return number_annotation(a->metadata(), kRevision) < number_annotation(b->metadata(), kRevision);
    });
    int64_t excess = static_cast<int64_t>(candidates.size()) - limit->as_int();
    for (int64_t i = 0; i < excess; ++i) {
      const Object& set = *candidates[static_cast<size_t>(i)];
      bool settled = set.metadata().at("generation").as_int() <= set.status().at("observedGeneration").as_int();
      if (!settled || set.spec().at("replicas").as_int() != 0 || set.status().at("replicas").as_int() != 0) continue;
      deletions_.push_back({.request = delete_request(kReplicaSets, set), .tolerated = {Reason::kNotFound}});
    }
  }

  Decision finish() {
    Decision decision;
    std::vector<Plan::Step>& steps = decision.work.steps;
    if (fresh_ && !fresh_->before) {
      decision.creates = fresh_->name();
      steps.push_back(
          {.request = create_request(kReplicaSets, fresh_->document),
           .event_on_success = scaling_event(*fresh_),
           .event_on_failure = client::Event{observed_.deployment, "Warning", "ReplicaSetCreateError",
                                             "Failed to create new replica set \"" + decision.creates + "\"", ""}});
    }
    if (fresh_ && fresh_->before) add_update(steps, *fresh_);
    for (const Draft& set : old_) add_update(steps, set);
    std::move(deletions_.begin(), deletions_.end(), std::back_inserter(steps));
    if (!(status_ == deployment_.status()) || !(metadata_ == deployment_.metadata())) {
      Value document = deployment_.document();
      document.set("metadata", metadata_);
      document.set("status", status_);
      steps.push_back({.request = update_request(kDeployments, std::move(document), "status")});
    }
    if (!deployment_.deleting() && !deployment_.spec().at("paused").as_bool()) {
      decision.work.look_again = until_deadline(deployment_, status_, now_);
    }
    return decision;
  }

  void add_update(std::vector<Plan::Step>& steps, const Draft& set) const {
    if (!set.changed) return;
    steps.push_back({.request = update_request(kReplicaSets, set.document), .event_on_success = scaling_event(set)});
  }

  std::optional<client::Event> scaling_event(const Draft& set) const {
    int64_t before = set.before ? set.before->spec().at("replicas").as_int() : 0;
    int64_t after = set.replicas();
    if (before == after) return std::nullopt;
    return client::Event{observed_.deployment, "Normal", "ScalingReplicaSet",
                         std::string(after > before ? "Scaled up" : "Scaled down") + " replica set " + set.name() +
                             " from " + std::to_string(before) + " to " + std::to_string(after),
                         ""};
  }

  const Observed& observed_;
  const Object& deployment_;
  std::vector<ObjectPtr> sets_;  // oldest first
  WallTime now_;
  Value status_;
  Value metadata_;
  int64_t wanted_;
  Bounds bounds_;
  ObjectPtr new_set_;
  std::optional<Draft> fresh_;
  std::vector<Draft> old_;  // oldest first
  std::vector<Plan::Step> deletions_;
};

Plan single(client::Request request) {
  Plan plan;
  plan.steps.push_back({.request = std::move(request), .tolerated = {Reason::kNotFound}});
  return plan;
}

}  // namespace

Decision decide(const Observed& observed, WallTime now) {
  const Object& deployment = *observed.deployment;
  auto selector = object::LabelSelector::from_document(deployment.spec().at("selector"));
  std::vector<ObjectPtr> members;
  Decision ownership;
  for (const ObjectPtr& set : observed.sets) {
    bool fits = selector.ok() && selector->matches(set->metadata().at("labels"));
    if (controlled_by(*set, deployment)) {
      if (fits) {
        members.push_back(set);
      } else if (!deployment.deleting()) {
        ownership.ownership.push_back(single(update_request(kReplicaSets, without_owner(*set, deployment.uid()))));
      }
    } else if (controller_of(*set) == nullptr && fits && !set->deleting() && !deployment.deleting()) {
      ownership.ownership.push_back(
          single(update_request(kReplicaSets, with_owner(*set, controller_reference(deployment)))));
    }
  }
  if (!ownership.ownership.empty()) return ownership;
  if (!deployment.deleting() && !deployment.spec().at("paused").as_bool()) {
    if (auto plan = roll_back(observed.deployment, members)) return {.work = std::move(*plan)};
  }
  return Decider(observed, std::move(members), now).decide();
}

std::optional<client::Request> creation_failed(const object::Object& deployment, const std::string& set,
                                               const Error& error, WallTime now) {
  if (!progress_deadline(deployment)) return std::nullopt;
  Value document = deployment.document();
  if (document.at("status").is_null()) document.set("status", Value::object());
  set_condition(document["status"], kProgressing, "False", "ReplicaSetCreateError",
                "Failed to create new replica set \"" + set + "\": " + error.message, now);
  if (document.at("status") == deployment.status()) return std::nullopt;
  return update_request(kDeployments, std::move(document), "status");
}

}  // namespace stead::controllers::deployment
