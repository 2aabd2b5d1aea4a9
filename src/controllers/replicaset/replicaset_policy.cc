#include "controllers/replicaset/replicaset_policy.h"

#include <algorithm>

#include "controllers/owner_references.h"
#include "controllers/pod_batch.h"
#include "controllers/pod_from_template.h"
#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/selector.h"

namespace stead::controllers::replicaset {
namespace {

client::Plan single(client::Request request) {
  client::Plan plan;
  plan.steps.push_back({.request = std::move(request), .tolerated = {Reason::kNotFound}});
  return plan;
}

std::map<std::string, int64_t> count_by_node(const std::vector<ObjectPtr>& pods) {
  std::map<std::string, int64_t> counts;
  for (const ObjectPtr& pod : pods) {
    if (is_active(*pod)) ++counts[std::string(pod->spec().at("nodeName").as_string())];
  }
  return counts;
}

}  // namespace

Result<object::LabelSelector> selector_of(const Object& set) {
  const Value& selector = set.spec().at("selector");
  if (set.document().at("kind").as_string() != "ReplicationController") {
    return object::LabelSelector::from_document(selector);
  }
  return object::LabelSelector::from_map(selector);
}

bool is_active(const Object& pod) { return !pod.deleting() && !is_finished(pod); }

int64_t wanted_replicas(const Object& set) { return std::max<int64_t>(0, set.spec().at("replicas").as_int(1)); }

Members find_members(const Observed& observed) {
  const Object& set = *observed.set;
  auto selector = selector_of(set);
  Members members;
  for (const ObjectPtr& pod : observed.pods) {
    bool fits = selector.ok() && selector->matches(pod->metadata().at("labels"));
    if (controlled_by(*pod, set)) {
      if (fits && pod->deleting() && !is_finished(*pod)) members.terminating.push_back(pod);
      if (!is_active(*pod)) continue;
      if (fits) {
        members.active.push_back(pod);
      } else if (!set.deleting()) {
        members.ownership.push_back(single(update_request(kPods, without_owner(*pod, set.uid()))));
      }
    } else if (controller_of(*pod) == nullptr && fits && is_active(*pod) && !set.deleting()) {
      members.ownership.push_back(single(update_request(kPods, with_owner(*pod, controller_reference(set)))));
    }
  }
  return members;
}

Decision decide(const Observed& observed, const Members& members, WallTime now) {
  const Object& set = *observed.set;
  Decision decision;
  if (set.deleting()) return decision;
  auto missing = wanted_replicas(set) - static_cast<int64_t>(members.active.size());
  for (int64_t i = 0; i < std::min<int64_t>(missing, kPodBatchMax); ++i) {
    decision.creations.push_back(pod_from_template(set, set.spec().at("template")));
  }
  if (missing >= 0) return decision;
  decision.deletions = members.active;
  sort_for_scale_down(decision.deletions, count_by_node(observed.related()), now);
  decision.deletions.resize(std::min(static_cast<size_t>(-missing), kPodBatchMax));
  return decision;
}

}  // namespace stead::controllers::replicaset
