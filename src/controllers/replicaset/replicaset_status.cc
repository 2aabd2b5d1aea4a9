#include "controllers/replicaset/replicaset_status.h"

#include <algorithm>

#include "controllers/pod_state.h"
#include "controllers/requests.h"
#include "object/time.h"

namespace stead::controllers::replicaset {
namespace {

constexpr std::string_view kReplicaFailure = "ReplicaFailure";

bool has_labels(const Object& pod, const Value& wanted) {
  const Value& labels = pod.metadata().at("labels");
  return std::all_of(wanted.members().begin(), wanted.members().end(),
                     [&](const object::Member& label) { return labels.at(label.name()) == label.value; });
}

// Zero is written as absence but for status.replicas.
void set_count(Value& status, std::string_view name, int64_t count) {
  if (count == 0) {
    status.erase(name);
  } else {
    status.set(name, count);
  }
}

void set_failure(Value& status, const Object& set, const Members& members, const std::optional<Error>& failure,
                 WallTime now) {
  bool known = find_condition(set, kReplicaFailure) != nullptr;
  if (failure.has_value() == known) return;
  std::vector<Value>& conditions = status["conditions"].mutable_items();
  if (known) {
    std::erase_if(conditions, [](const Value& item) { return item.at("type").as_string() == kReplicaFailure; });
    if (conditions.empty()) status.erase("conditions");
    return;
  }
  bool too_few = static_cast<int64_t>(members.active.size()) < wanted_replicas(set);
  conditions.push_back(Value::object({{"type", kReplicaFailure},
                                      {"status", "True"},
                                      {"lastTransitionTime", object::format_time(now)},
                                      {"reason", too_few ? "FailedCreate" : "FailedDelete"},
                                      {"message", failure->message}}));
}

}  // namespace

std::optional<client::Request> status_update(const Object& set, const Members& members,
                                             const std::optional<Error>& failure, WallTime now) {
  const Value& template_labels = set.spec().at({"template", "metadata", "labels"});
  int64_t min_ready_seconds = set.spec().at("minReadySeconds").as_int();
  int64_t labelled = 0;
  int64_t ready = 0;
  int64_t available = 0;
  for (const ObjectPtr& pod : members.active) {
    labelled += has_labels(*pod, template_labels);
    ready += is_ready(*pod);
    available += is_available(*pod, min_ready_seconds, now);
  }
  Value status = set.status().is_null() ? Value::object() : set.status();
  status.set("replicas", static_cast<int64_t>(members.active.size()));
  set_count(status, "fullyLabeledReplicas", labelled);
  set_count(status, "readyReplicas", ready);
  set_count(status, "availableReplicas", available);
  bool is_old = set.document().at("kind").as_string() == "ReplicationController";
  if (!is_old) status.set("terminatingReplicas", static_cast<int64_t>(members.terminating.size()));
  set_count(status, "observedGeneration", set.metadata().at("generation").as_int());
  set_failure(status, set, members, failure, now);
  if (status == set.status()) return std::nullopt;
  Value document = set.document();
  document.set("status", std::move(status));
  return update_request(is_old ? kReplicationControllers : kReplicaSets, std::move(document), "status");
}

std::optional<Duration> next_availability(const Object& set, const Members& members, WallTime now) {
  int64_t min_ready_seconds = set.spec().at("minReadySeconds").as_int();
  std::optional<Duration> soonest;
  for (const ObjectPtr& pod : members.active) {
    auto from = available_from(*pod, min_ready_seconds);
    if (!from || *from <= now) continue;
    if (!soonest || *from - now < *soonest) soonest = *from - now;
  }
  return soonest;
}

}  // namespace stead::controllers::replicaset
