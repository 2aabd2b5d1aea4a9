#include "controllers/daemonset/daemonset_status.h"

#include <algorithm>

#include "controllers/pod_state.h"
#include "controllers/requests.h"

namespace stead::controllers::daemonset {
namespace {

// Counts that are absent when zero.
void set_count(Value& status, std::string_view name, int64_t count) {
  if (count == 0) {
    status.erase(name);
  } else {
    status.set(name, count);
  }
}

}  // namespace

std::optional<client::Request> status_update(const Observed& observed, const Members& members, std::string_view hash,
                                             int64_t collision_count, WallTime now) {
  const Object& set = *observed.set;
  int64_t min_ready_seconds = set.spec().at("minReadySeconds").as_int();
  int64_t desired = 0, current = 0, misscheduled = 0, ready = 0, available = 0, updated = 0;
  for (const ObjectPtr& node : observed.nodes) {
    auto found = members.by_node.find(node->name());
    bool has_pods = found != members.by_node.end();
    if (!fit_node(set, *node).should_run) {
      misscheduled += has_pods;
      continue;
    }
    ++desired;
    if (!has_pods) continue;
    ++current;
    auto any = [&](auto holds) { return std::any_of(found->second.begin(), found->second.end(), holds); };
    ready += any([](const ObjectPtr& pod) { return is_ready(*pod); });
    available += any([&](const ObjectPtr& pod) { return is_available(*pod, min_ready_seconds, now); });
    updated += any([&](const ObjectPtr& pod) { return !pod->deleting() && statefulset::revision_of(*pod) == hash; });
  }
  Value status = set.status().is_null() ? Value::object() : set.status();
  status.set("currentNumberScheduled", current);
  status.set("numberMisscheduled", misscheduled);
  status.set("desiredNumberScheduled", desired);
  status.set("numberReady", ready);
  set_count(status, "updatedNumberScheduled", updated);
  set_count(status, "numberAvailable", available);
  set_count(status, "numberUnavailable", desired - available);
  set_count(status, "observedGeneration", set.metadata().at("generation").as_int());
  if (collision_count > 0) status.set("collisionCount", collision_count);
  if (status == set.status()) return std::nullopt;
  Value document = set.document();
  document.set("status", std::move(status));
  return update_request(kDaemonSets, std::move(document), "status");
}

std::optional<Duration> next_availability(const Object& set, const Members& members, WallTime now) {
  int64_t min_ready_seconds = set.spec().at("minReadySeconds").as_int();
  std::optional<Duration> soonest;
  for (const ObjectPtr& pod : members.pods) {
    auto from = available_from(*pod, min_ready_seconds);
    if (!from || *from <= now) continue;
    if (!soonest || *from - now < *soonest) soonest = *from - now;
  }
  return soonest;
}

}  // namespace stead::controllers::daemonset
