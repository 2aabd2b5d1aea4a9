#include "controllers/replicaset/scale_down_order.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "controllers/pod_state.h"
#include "object/time.h"

namespace stead::controllers::replicaset {
namespace {

constexpr std::string_view kCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

struct Restarts {
  int64_t containers = 0;
  int64_t sidecars = 0;
};

// What the order compares, worked out once per pod. Lower goes first, member by member.
struct Rank {
  bool assigned = false;
  int phase = 0;
  bool ready = false;
  int64_t cost = 0;
  int64_t related = 0;
  int64_t ready_age = 0;
  Restarts restarts;
  int64_t age = 0;
  std::string_view uid;
  ObjectPtr pod;
};

// A power of two of nanoseconds; -1 for what is not in the past.
int64_t logarithm_of_age(std::string_view since, WallTime now) {
  auto time = object::parse_time(since);
  if (!time || *time >= now) return -1;
  auto nanoseconds = std::chrono::nanoseconds(now - *time).count();
  return static_cast<int64_t>(std::bit_width(static_cast<uint64_t>(nanoseconds))) - 1;
}

int64_t most_restarts(const Value& statuses) {
  int64_t most = 0;
  for (const Value& status : statuses.items()) most = std::max(most, status.at("restartCount").as_int());
  return most;
}

Restarts restarts_of(const Object& pod) {
  Restarts restarts{most_restarts(pod.status().at("containerStatuses")), 0};
  for (const Value& container : pod.spec().at("initContainers").items()) {
    if (container.at("restartPolicy").as_string() != "Always") continue;
    for (const Value& status : pod.status().at("initContainerStatuses").items()) {
      if (status.at("name") != container.at("name")) continue;
      restarts.sidecars = std::max(restarts.sidecars, status.at("restartCount").as_int());
    }
  }
  return restarts;
}

int64_t cost_of(const Object& pod) {
  std::string_view text = pod.metadata().at({"annotations", kCostAnnotation}).as_string();
  int32_t cost = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
  return error == std::errc() && end == text.data() + text.size() ? cost : 0;
}

Rank rank_of(const ObjectPtr& pod, const std::map<std::string, int64_t>& related, WallTime now) {
  std::string node(pod->spec().at("nodeName").as_string());
  std::string_view phase = phase_of(*pod);
  auto on_node = related.find(node);
  Rank rank;
  rank.assigned = !node.empty();
  rank.phase = phase == "Running" ? 2 : phase == "Unknown" ? 1 : 0;
  rank.ready = is_ready(*pod);
  rank.cost = cost_of(*pod);
  rank.related = on_node == related.end() ? 0 : on_node->second;
  if (rank.ready) {
    rank.ready_age = logarithm_of_age(find_condition(*pod, "Ready")->at("lastTransitionTime").as_string(), now);
  }
  rank.restarts = restarts_of(*pod);
  rank.age = logarithm_of_age(pod->metadata().at("creationTimestamp").as_string(), now);
  rank.uid = pod->uid();
  rank.pod = pod;
  return rank;
}

bool goes_before(const Rank& a, const Rank& b) {
  if (a.assigned != b.assigned) return b.assigned;
  if (a.phase != b.phase) return a.phase < b.phase;
  if (a.ready != b.ready) return b.ready;
  if (a.cost != b.cost) return a.cost < b.cost;
  if (a.related != b.related) return a.related > b.related;
  if (a.ready && a.ready_age != b.ready_age) return a.ready_age < b.ready_age;
  if (a.restarts.containers != b.restarts.containers) return a.restarts.containers > b.restarts.containers;
  if (a.restarts.sidecars != b.restarts.sidecars) return a.restarts.sidecars > b.restarts.sidecars;
  if (a.age != b.age) return a.age < b.age;
  return a.uid < b.uid;
}

}  // namespace

void sort_for_scale_down(std::vector<ObjectPtr>& pods, const std::map<std::string, int64_t>& related, WallTime now) {
  std::vector<Rank> ranks;
  ranks.reserve(pods.size());
  for (const ObjectPtr& pod : pods) ranks.push_back(rank_of(pod, related, now));
  std::sort(ranks.begin(), ranks.end(), goes_before);
  for (size_t i = 0; i < pods.size(); ++i) pods[i] = ranks[i].pod;
}

}  // namespace stead::controllers::replicaset
