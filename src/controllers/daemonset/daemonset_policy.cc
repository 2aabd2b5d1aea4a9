#include "controllers/daemonset/daemonset_policy.h"

#include <algorithm>
#include <charconv>

#include "controllers/owner_references.h"
#include "controllers/pod_batch.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers::daemonset {
namespace {

client::Plan single(client::Request request) {
  client::Plan plan;
  plan.steps.push_back({.request = std::move(request), .tolerated = {Reason::kNotFound}});
  return plan;
}

class Decider {
 public:
  Decider(const Observed& observed, const Members& members, std::string_view hash, WallTime now)
      : observed_(observed), set_(*observed.set), members_(members), hash_(hash), now_(now) {
    const Value& strategy = set_.spec().at("updateStrategy");
    rolling_ = strategy.at("type").as_string() == "RollingUpdate";
    for (const ObjectPtr& node : observed.nodes) {
      fits_.emplace(node->name(), fit_node(set_, *node));
      desired_ += fits_.find(node->name())->second.should_run;
    }
    surge_max_ = rolling_ ? scaled(strategy.at({"rollingUpdate", "maxSurge"}), desired_) : 0;
    unavailable_max_ = rolling_ ? scaled(strategy.at({"rollingUpdate", "maxUnavailable"}), desired_) : 0;
    if (surge_max_ == 0 && unavailable_max_ == 0) unavailable_max_ = 1;
  }

  Decision run() {
    for (const auto& [node, fit] : fits_) manage_node(node, fit);
    for (const auto& [node, pods] : members_.by_node) {
      // Waiting for a node that is gone; those that ran there are the node part's and the garbage collection's.
      if (fits_.contains(node)) continue;
      for (const ObjectPtr& pod : pods) {
        if (pod->spec().at("nodeName").as_string().empty() && !pod->deleting()) decision_.deletions.push_back(pod);
      }
    }
    if (rolling_ && decision_.creations.empty() && decision_.deletions.empty()) {
      surge_max_ > 0 ? roll_with_surge() : roll();
    }
    if (decision_.creations.size() > kPodBatchMax) decision_.creations.resize(kPodBatchMax);
    if (decision_.deletions.size() > kPodBatchMax) decision_.deletions.resize(kPodBatchMax);
    return std::move(decision_);
  }

 private:
  const std::vector<ObjectPtr>& pods_on(std::string_view node) const {
    static const std::vector<ObjectPtr> kNobody;
    auto found = members_.by_node.find(node);
    return found == members_.by_node.end() ? kNobody : found->second;
  }
  bool is_new(const Object& pod) const { return statefulset::revision_of(pod) == hash_; }
  bool available(const Object& pod) const {
    return is_available(pod, set_.spec().at("minReadySeconds").as_int(), now_);
  }

  void look_again_at(WallTime time) {
    Duration delay = std::max<Duration>(time - now_, std::chrono::milliseconds(1));
    decision_.look_again = std::min(delay, decision_.look_again.value_or(delay));
  }

  void manage_node(const std::string& node, const NodeFit& fit) {
    const std::vector<ObjectPtr>& pods = pods_on(node);
    if (!fit.should_continue) {
      for (const ObjectPtr& pod : pods) {
        if (!pod->deleting()) decision_.deletions.push_back(pod);
      }
      return;
    }
    std::vector<ObjectPtr> running;
    bool ending = false;
    for (const ObjectPtr& pod : pods) {
      if (pod->deleting()) {
        ending = true;
      } else if (is_finished(*pod)) {
        ending = true;
        end_finished(node, pod);
      } else {
        running.push_back(pod);
      }
    }
    if (running.empty() && !ending && fit.should_run) decision_.creations.push_back(make_pod(set_, node, hash_));
    end_duplicates(running);
  }

  // A failed pod is ended for a new one to come, ever later if it keeps failing.
  void end_finished(const std::string& node, const ObjectPtr& pod) {
    auto retry = observed_.retry_at.find(node);
    bool failed = phase_of(*pod) == "Failed";
    if (failed && retry != observed_.retry_at.end() && retry->second > now_) return look_again_at(retry->second);
    decision_.deletions.push_back(pod);
    if (failed) decision_.failed.push_back(pod);
  }

  // The oldest stays; while an update surges, the oldest of each revision.
  void end_duplicates(const std::vector<ObjectPtr>& running) {
    bool kept = false;
    bool kept_old = false;
    for (const ObjectPtr& pod : running) {
      bool& taken = surge_max_ > 0 && !is_new(*pod) ? kept_old : kept;
      if (taken) decision_.deletions.push_back(pod);
      taken = true;
    }
  }

  struct NodePods {
    ObjectPtr fresh;
    ObjectPtr old;
  };
  NodePods split(std::string_view node) const {
    NodePods found;
    for (const ObjectPtr& pod : pods_on(node)) {
      if (pod->deleting()) continue;
      (is_new(*pod) ? found.fresh : found.old) = pod;
    }
    return found;
  }

  void note_availability(const Object& pod) {
    auto from = available_from(pod, set_.spec().at("minReadySeconds").as_int());
    if (from && *from > now_) look_again_at(*from);
  }

  void roll() {
    int64_t unavailable = 0;
    std::vector<ObjectPtr> candidates;
    for (const auto& [node, fit] : fits_) {
      if (!fit.should_run) continue;
      NodePods pods = split(node);
      if (pods.fresh) note_availability(*pods.fresh);
      if (pods.old) {
        if (available(*pods.old)) {
          candidates.push_back(pods.old);
        } else {
          // It serves nobody, so replacing it costs nothing.
          ++unavailable;
          decision_.deletions.push_back(pods.old);
        }
      } else if (!pods.fresh || !available(*pods.fresh)) {
        ++unavailable;
      }
    }
    int64_t room = std::max<int64_t>(0, unavailable_max_ - unavailable);
    candidates.resize(std::min(candidates.size(), static_cast<size_t>(room)));
    decision_.deletions.insert(decision_.deletions.end(), candidates.begin(), candidates.end());
  }

  void roll_with_surge() {
    int64_t surging = 0;
    std::vector<std::string> candidates;
    for (const auto& [node, fit] : fits_) {
      if (!fit.should_run) continue;
      NodePods pods = split(node);
      if (!pods.old) continue;
      if (!pods.fresh) {
        if (available(*pods.old)) {
          candidates.push_back(node);
        } else {
          decision_.creations.push_back(make_pod(set_, node, hash_));
        }
      } else if (available(*pods.fresh)) {
        decision_.deletions.push_back(pods.old);
      } else {
        note_availability(*pods.fresh);
        ++surging;
      }
    }
    int64_t room = std::max<int64_t>(0, surge_max_ - surging);
    candidates.resize(std::min(candidates.size(), static_cast<size_t>(room)));
    for (const std::string& node : candidates) decision_.creations.push_back(make_pod(set_, node, hash_));
  }

  const Observed& observed_;
  const Object& set_;
  const Members& members_;
  const std::string_view hash_;
  const WallTime now_;
  bool rolling_ = false;
  int64_t desired_ = 0;
  int64_t surge_max_ = 0;
  int64_t unavailable_max_ = 0;
  std::map<std::string, NodeFit, std::less<>> fits_;
  Decision decision_;
};

}  // namespace

Members find_members(const Observed& observed) {
  const Object& set = *observed.set;
  auto selector = object::LabelSelector::from_document(set.spec().at("selector"));
  Members members;
  for (const ObjectPtr& pod : observed.pods) {
    bool fits = selector.ok() && selector->matches(pod->metadata().at("labels"));
    if (controlled_by(*pod, set)) {
      if (fits) {
        members.pods.push_back(pod);
      } else if (!set.deleting()) {
        members.ownership.push_back(single(update_request(kPods, without_owner(*pod, set.uid()))));
      }
    } else if (controller_of(*pod) == nullptr && fits && !pod->deleting() && !set.deleting()) {
      members.ownership.push_back(single(update_request(kPods, with_owner(*pod, controller_reference(set)))));
    }
  }
  std::sort(members.pods.begin(), members.pods.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
    std::string_view a_created = a->metadata().at("creationTimestamp").as_string();
    std::string_view b_created = b->metadata().at("creationTimestamp").as_string();
    return a_created != b_created ? a_created < b_created : a->name() < b->name();
  });
  for (const ObjectPtr& pod : members.pods) members.by_node[std::string(node_of(*pod))].push_back(pod);
  return members;
}

Decision decide(const Observed& observed, const Members& members, std::string_view hash, WallTime now) {
  if (observed.set->deleting()) return {};
  return Decider(observed, members, hash, now).run();
}

int64_t scaled(const Value& count_or_percent, int64_t total) {
  if (count_or_percent.is_int()) return count_or_percent.as_int();
  std::string_view text = count_or_percent.as_string();
  int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (percent * total + 99) / 100;
}

}  // namespace stead::controllers::daemonset
