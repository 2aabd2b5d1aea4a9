#include "controllers/statefulset/statefulset_policy.h"

#include <algorithm>
#include <charconv>

#include "controllers/owner_references.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "controllers/statefulset/claim_retention.h"
#include "controllers/statefulset/identity.h"
#include "controllers/statefulset/revision_history.h"
#include "controllers/statefulset/set_members.h"
#include "controllers/statefulset/set_status.h"

namespace stead::controllers::statefulset {
namespace {

using client::Plan;

// spec.updateStrategy.rollingUpdate.maxUnavailable of `replicas`: percentages round down, never below one.
int64_t max_unavailable(const Value& value, int64_t replicas) {
  int64_t number = value.as_int(1);
  if (value.is_string()) {
    std::string_view text = value.as_string();
    int64_t percent = 0;
    std::from_chars(text.data(), text.data() + text.size(), percent);
    number = percent * replicas / 100;
  }
  return std::max<int64_t>(1, number);
}

class Decider {
 public:
  Decider(const Observed& observed, Members members, WallTime now)
      : observed_(observed),
        set_(*observed.set),
        members_(std::move(members)),
        history_(read_history(set_, members_.revisions, observed.revision)),
        now_(now),
        replica_count_(std::max<int64_t>(0, set_.spec().at("replicas").as_int(1))),
        start_(set_.spec().at({"ordinals", "start"}).as_int()),
        min_ready_seconds_(set_.spec().at("minReadySeconds").as_int()),
        ordered_(set_.spec().at("podManagementPolicy").as_string() != "Parallel") {}

  Decision decide() {
    if (!set_.deleting() && history_.write) {
      // Pods are made once their revision exists; its watch event brings the next decision.
      decision_.work.push_back({.steps = {*history_.write}});
      return std::move(decision_);
    }
    decision_.status = status_update(set_, members_.pods, history_, min_ready_seconds_, now_);
    sort_members();
    find_next_availability();
    if (!set_.deleting()) {
      if (settle_replicas() && end_condemned()) roll_forward();
      std::vector<Plan::Step> dead = truncate_history(set_, members_.revisions, history_, members_.pods);
      if (!dead.empty()) decision_.work.push_back({.steps = std::move(dead)});
    }
    std::erase_if(decision_.work, [](const Plan& plan) { return plan.steps.empty() && plan.events.empty(); });
    return std::move(decision_);
  }

 private:
  void sort_members() {
    replicas_.resize(static_cast<size_t>(replica_count_));
    for (const ObjectPtr& pod : members_.pods) {
      int64_t index = ordinal_of(*pod) - start_;
      if (index >= 0 && index < replica_count_) {
        replicas_[static_cast<size_t>(index)] = pod.get();
      } else {
        condemned_.push_back(pod.get());
      }
    }
    std::sort(condemned_.begin(), condemned_.end(),
              [](const Object* a, const Object* b) { return ordinal_of(*a) > ordinal_of(*b); });
  }

  void find_next_availability() {
    if (min_ready_seconds_ <= 0) return;
    for (const ObjectPtr& pod : members_.pods) {
      auto from = available_from(*pod, min_ready_seconds_);
      if (!from || *from <= now_) continue;
      Duration wait = *from - now_;
      if (!decision_.look_again || wait < *decision_.look_again) decision_.look_again = wait;
    }
  }

  bool available(const Object& pod) const {
    return is_running_and_ready(pod) && is_available(pod, min_ready_seconds_, now_);
  }
  bool unavailable(const Object* pod) const { return pod == nullptr || pod->deleting() || !available(*pod); }

  // The plan that the steps for one pod go to: one for all where order matters, else one per pod.
  Plan& plan_for_pod() {
    if (decision_.work.empty() || !ordered_) decision_.work.emplace_back();
    return decision_.work.back();
  }

  // Stage one. False if the later stages have to wait.
  bool settle_replicas() {
    bool later_stages = true;
    for (int64_t index = 0; index < replica_count_; ++index) {
      bool settled = settle_replica(start_ + index, replicas_[static_cast<size_t>(index)], later_stages);
      if (!settled && ordered_) return false;
    }
    return later_stages;
  }

  bool settle_replica(int64_t ordinal, const Object* pod, bool& later_stages) {
    if (pod == nullptr) {
      create(ordinal);
      return false;
    }
    if (is_finished(*pod)) {
      later_stages = false;
      if (!pod->deleting()) replace_finished(*pod);
      return false;
    }
    if (phase_of(*pod) == "Pending" && !pod->deleting()) create_claims(plan_for_pod(), pod->name(), ordinal, pod);
    if (ordered_ && (pod->deleting() || !available(*pod))) return false;
    repair(plan_for_pod(), *pod, false);
    return true;
  }

  void create(int64_t ordinal) {
    if (members_.strangers.contains(ordinal)) return;  // the name is in use; its deletion is an event
    std::string name = pod_name(set_, ordinal);
    Plan& plan = plan_for_pod();
    if (!create_claims(plan, name, ordinal, nullptr)) return;
    bool keeps_current = on_current_revision(ordinal);
    Value pod = make_pod(set_, keeps_current ? *history_.current_template : *history_.update_template,
                         keeps_current ? history_.current : history_.update, ordinal);
    plan.steps.push_back({.request = create_request(kPods, std::move(pod)),
                          .event_on_success = event("Normal", "SuccessfulCreate", "create Pod " + name, " successful"),
                          .event_on_failure = event("Warning", "FailedCreate", "create Pod " + name, " failed error")});
  }

  // A pod made anew below the partition gets the old template back.
  bool on_current_revision(int64_t ordinal) const {
    const Value& strategy = set_.spec().at("updateStrategy");
    std::string_view type = strategy.at("type").as_string();
    if (!type.empty() && type != "RollingUpdate") return false;
    const Value* rolling = strategy.find("rollingUpdate");
    int64_t kept =
        rolling == nullptr ? set_.status().at("currentReplicas").as_int() : rolling->at("partition").as_int();
    return ordinal < start_ + kept;
  }

  // False if a claim is on its way out, so that the pod has to wait.
  bool create_claims(Plan& plan, std::string_view pod, int64_t ordinal, const Object* existing) {
    for (const Value& claim_template : set_.spec().at("volumeClaimTemplates").items()) {
      std::string name = claim_name(claim_template, set_, ordinal);
      ObjectPtr claim = observed_.claim(name);
      if (claim == nullptr) {
        create_claim(plan, pod, ordinal, claim_template, name);
      } else if (existing == nullptr && claim->deleting()) {
        plan.events.push_back(event("Warning", "FailedCreate", "create Pod " + std::string(pod),
                                    " failed error: pvc " + name + " is being deleted"));
        return false;
      } else if (existing == nullptr && is_stale(*claim, pod)) {
        return false;
      }
    }
    return true;
  }

  void create_claim(Plan& plan, std::string_view pod, int64_t ordinal, const Value& claim_template,
                    const std::string& name) {
    Value body = make_claim(set_, claim_template, ordinal);
    if (deletes_claims_with_set(set_)) {
      body["metadata"].set("ownerReferences", Value::array({controller_reference(set_)}));
    }
    std::string what = "create Claim " + name + " ";
    plan.steps.push_back(
        {.request = create_request(kClaims, std::move(body)),
         .tolerated = {Reason::kAlreadyExists},
         .event_on_success = event("Normal", "SuccessfulCreate", what + "Pod " + std::string(pod), " success"),
         .event_on_failure = event("Warning", "FailedCreate", what + "for Pod " + std::string(pod), " failed error")});
  }

  void replace_finished(const Object& pod) {
    bool failed = phase_of(pod) == "Failed";
    std::string where = "StatefulSet " + std::string(set_.ns()) + "/" + std::string(set_.name());
    Plan& plan = plan_for_pod();
    plan.events.push_back(
        {observed_.set, failed ? "Warning" : "Normal", failed ? "RecreatingFailedPod" : "RecreatingTerminatedPod",
         where + " is recreating " + (failed ? "failed" : "terminated") + " Pod " + std::string(pod.name()), ""});
    end(plan, pod);
  }

  void end(Plan& plan, const Object& pod) {
    std::string what = "delete Pod " + std::string(pod.name());
    plan.steps.push_back({.request = delete_request(kPods, pod),
                          .tolerated = {Reason::kNotFound},
                          .event_on_success = event("Normal", "SuccessfulDelete", what, " successful"),
                          .event_on_failure = event("Warning", "FailedDelete", what, " failed error")});
  }

  // Labels, volumes and the owners of claims of an existing pod.
  void repair(Plan& plan, const Object& pod, bool condemned) {
    for (const Value& claim_template : set_.spec().at("volumeClaimTemplates").items()) {
      ObjectPtr claim = observed_.claim(claim_name(claim_template, set_, ordinal_of(pod)));
      if (claim == nullptr || claim->deleting()) continue;
      if (auto body = retained_claim(set_, pod, condemned, *claim)) {
        plan.steps.push_back({.request = update_request(kClaims, std::move(*body))});
      }
    }
    if (condemned || pod.deleting() || (identity_matches(set_, pod) && storage_matches(set_, pod))) return;
    std::string what = "update Pod " + std::string(pod.name());
    plan.steps.push_back({.request = update_request(kPods, repair_pod(set_, pod)),
                          .event_on_success = event("Normal", "SuccessfulUpdate", what, " successful"),
                          .event_on_failure = event("Warning", "FailedUpdate", what, " failed error")});
  }

  // Stage two: pods outside the ordinals, highest first. False if stage three has to wait.
  bool end_condemned() {
    // Owners of claims are set before the first pod goes: they decide whether its claims go with it.
    if (ordered_) {
      for (const Object* pod : condemned_) repair(plan_for_pod(), *pod, true);
    }
    // The lowest condemned pod that is not available may go even so, or a broken pod could never be scaled away.
    const Object* first_unavailable = nullptr;
    for (const Object* pod : condemned_) {
      if (unavailable(pod)) first_unavailable = pod;
    }
    for (const Object* pod : condemned_) {
      Plan& plan = plan_for_pod();
      if (!ordered_) repair(plan, *pod, true);
      if (pod->deleting()) {
        if (ordered_) return false;
        continue;
      }
      if (ordered_ && !available(*pod) && pod != first_unavailable) return false;
      end(plan, *pod);
      if (ordered_) return false;
    }
    return true;
  }

  // Stage three: pods of an old revision, highest first, as many at a time as may be unavailable.
  void roll_forward() {
    const Value& strategy = set_.spec().at("updateStrategy");
    if (strategy.at("type").as_string() == "OnDelete") return;
    const Value& rolling = strategy.at("rollingUpdate");
    int64_t partition = rolling.at("partition").as_int();
    int64_t budget = max_unavailable(rolling.at("maxUnavailable"), replica_count_);
    auto is_old = [&](const Object* pod) {
      return pod != nullptr && !pod->deleting() && revision_of(*pod) != history_.update;
    };
    if (rolling.find("maxUnavailable") != nullptr) {
      // Broken pods of an old revision are what an update in parallel is to mend: they do not hold it up.
      budget -= std::count_if(replicas_.begin(), replicas_.end(),
                              [&](const Object* pod) { return unavailable(pod) && (ordered_ || !is_old(pod)); });
    }
    for (int64_t index = replica_count_ - 1; index >= partition && budget > 0; --index) {
      const Object* pod = replicas_[static_cast<size_t>(index)];
      if (is_old(pod)) {
        end(plan_for_pod(), *pod);
        --budget;
      } else if (unavailable(pod) && rolling.find("maxUnavailable") == nullptr) {
        return;  // one at a time: wait for the pod before
      }
    }
  }

  client::Event event(std::string type, std::string reason, std::string what, std::string outcome) const {
    return {observed_.set, std::move(type), std::move(reason),
            std::move(what) + " in StatefulSet " + std::string(set_.name()) + std::move(outcome), ""};
  }

  const Observed& observed_;
  const Object& set_;
  Members members_;
  History history_;
  WallTime now_;
  int64_t replica_count_;
  int64_t start_;
  int64_t min_ready_seconds_;
  bool ordered_;
  std::vector<const Object*> replicas_;   // by index from start_; null where missing
  std::vector<const Object*> condemned_;  // highest ordinal first
  Decision decision_;
};

}  // namespace

Decision decide(const Observed& observed, WallTime now) {
  Members members = find_members(observed);
  if (!members.ownership.empty()) return {.work = std::move(members.ownership)};
  return Decider(observed, std::move(members), now).decide();
}

}  // namespace stead::controllers::statefulset
