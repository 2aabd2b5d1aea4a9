#include "controllers/deployment/deployment_status.h"

#include "controllers/deployment/rollout_counts.h"
#include "controllers/pod_state.h"
#include "object/time.h"

namespace stead::controllers::deployment {
namespace {

// Upstream's "no deadline": the largest int32.
constexpr int64_t kNoDeadline = 2147483647;
constexpr std::string_view kAvailable = "NewReplicaSetAvailable";
constexpr std::string_view kTimedOut = "ProgressDeadlineExceeded";
constexpr std::string_view kReplicaFailure = "ReplicaFailure";

void set_count(Value& status, std::string_view name, int64_t count) {
  if (count == 0) {
    status.erase(name);
  } else {
    status.set(name, count);
  }
}

int64_t sum(const std::vector<ObjectPtr>& sets, std::string_view name) {
  int64_t total = 0;
  for (const ObjectPtr& set : sets) total += set->status().at(name).as_int();
  return total;
}

bool has_progressed(const Value& before, const Value& now) {
  auto count = [](const Value& status, std::string_view name) { return status.at(name).as_int(); };
  auto old_replicas = [&](const Value& status) { return count(status, "replicas") - count(status, "updatedReplicas"); };
  return count(now, "updatedReplicas") > count(before, "updatedReplicas") || old_replicas(now) < old_replicas(before) ||
         count(now, "readyReplicas") > count(before, "readyReplicas") ||
         count(now, "availableReplicas") > count(before, "availableReplicas");
}

bool has_timed_out(const Object& deployment, const Value& status, WallTime now) {
  const Value* progressing = find_condition(status, kProgressing);
  if (progressing == nullptr) return false;
  std::string_view reason = progressing->at("reason").as_string();
  // A finished roll-out does not time out because of what happens to its pods later.
  if (reason == kAvailable) return false;
  if (reason == kTimedOut) return true;
  auto since = object::parse_time(progressing->at("lastUpdateTime").as_string());
  return since && *since + std::chrono::seconds(*progress_deadline(deployment)) < now;
}

void take_over_failure(const std::vector<ObjectPtr>& sets, const ObjectPtr& new_set, Value& status, WallTime now) {
  const Value* failure = new_set ? controllers::find_condition(*new_set, kReplicaFailure) : nullptr;
  for (size_t i = 0; failure == nullptr && i < sets.size(); ++i) {
    failure = controllers::find_condition(*sets[i], kReplicaFailure);
  }
  if (failure == nullptr) return remove_condition(status, kReplicaFailure);
  set_condition(status, kReplicaFailure, failure->at("status").as_string(), failure->at("reason").as_string(),
                std::string(failure->at("message").as_string()), now);
}

}  // namespace

std::optional<int64_t> progress_deadline(const Object& deployment) {
  const Value* seconds = deployment.spec().find("progressDeadlineSeconds");
  if (seconds == nullptr || seconds->as_int() == kNoDeadline) return std::nullopt;
  return seconds->as_int();
}

void set_condition(Value& status, std::string_view type, std::string_view value, std::string_view reason,
                   const std::string& message, WallTime now) {
  Value since = object::format_time(now);
  if (const Value* current = find_condition(status, type); current && current->at("status").as_string() == value) {
    if (current->at("reason").as_string() == reason) return;
    since = current->at("lastTransitionTime");
  }
  remove_condition(status, type);
  status["conditions"].append(Value::object({{"type", type},
                                             {"status", value},
                                             {"lastUpdateTime", object::format_time(now)},
                                             {"lastTransitionTime", std::move(since)},
                                             {"reason", reason},
                                             {"message", message}}));
}

void remove_condition(Value& status, std::string_view type) {
  if (find_condition(status, type) == nullptr) return;
  std::vector<Value>& conditions = status["conditions"].mutable_items();
  std::erase_if(conditions, [&](const Value& item) { return item.at("type").as_string() == type; });
  if (conditions.empty()) status.erase("conditions");
}

void count_replicas(const Object& deployment, const std::vector<ObjectPtr>& sets, const ObjectPtr& new_set,
                    Value& status, WallTime now) {
  int64_t available = sum(sets, "availableReplicas");
  int64_t wanted_by_sets = 0;
  for (const ObjectPtr& set : sets) wanted_by_sets += set->spec().at("replicas").as_int();
  set_count(status, "observedGeneration", deployment.metadata().at("generation").as_int());
  set_count(status, "replicas", sum(sets, "replicas"));
  set_count(status, "updatedReplicas", new_set ? new_set->status().at("replicas").as_int() : 0);
  set_count(status, "readyReplicas", sum(sets, "readyReplicas"));
  set_count(status, "availableReplicas", available);
  set_count(status, "unavailableReplicas", std::max<int64_t>(0, wanted_by_sets - available));
  status.set("terminatingReplicas", sum(sets, "terminatingReplicas"));
  if (available >= wanted_replicas(deployment) - bounds_of(deployment).unavailable) {
    set_condition(status, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now);
  } else {
    set_condition(status, "Available", "False", "MinimumReplicasUnavailable",
                  "Deployment does not have minimum availability.", now);
  }
}

bool is_complete(const Object& deployment, const Value& status) {
  int64_t wanted = wanted_replicas(deployment);
  return status.at("updatedReplicas").as_int() == wanted && status.at("replicas").as_int() == wanted &&
         status.at("availableReplicas").as_int() == wanted &&
         status.at("observedGeneration").as_int() >= deployment.metadata().at("generation").as_int();
}

void judge_progress(const Object& deployment, const std::vector<ObjectPtr>& sets, const ObjectPtr& new_set,
                    Value& status, WallTime now) {
  take_over_failure(sets, new_set, status, now);
  if (!progress_deadline(deployment)) return remove_condition(status, kProgressing);
  const Value* current = find_condition(status, kProgressing);
  bool settled = status.at("replicas").as_int() == status.at("updatedReplicas").as_int() && current != nullptr &&
                 current->at("reason").as_string() == kAvailable;
  if (settled) return;
  std::string subject = new_set ? "ReplicaSet \"" + std::string(new_set->name()) + "\""
                                : "Deployment \"" + std::string(deployment.name()) + "\"";
  if (is_complete(deployment, status)) {
    set_condition(status, kProgressing, "True", kAvailable, subject + " has successfully progressed.", now);
  } else if (has_progressed(deployment.status(), status)) {
    // Each step counts anew for the deadline, but the condition has not changed.
    Value since =
        current != nullptr && current->at("status").as_string() == "True" ? current->at("lastTransitionTime") : Value();
    remove_condition(status, kProgressing);
    set_condition(status, kProgressing, "True", "ReplicaSetUpdated", subject + " is progressing.", now);
    if (!since.is_null()) status["conditions"].mutable_items().back().set("lastTransitionTime", std::move(since));
  } else if (has_timed_out(deployment, status, now)) {
    set_condition(status, kProgressing, "False", kTimedOut, subject + " has timed out progressing.", now);
  }
}

std::optional<Duration> until_deadline(const Object& deployment, const Value& status, WallTime now) {
  const Value* progressing = find_condition(status, kProgressing);
  auto deadline = progress_deadline(deployment);
  if (!deadline || progressing == nullptr || is_complete(deployment, status)) return std::nullopt;
  std::string_view reason = progressing->at("reason").as_string();
  if (reason == kTimedOut || reason == kAvailable) return std::nullopt;
  auto since = object::parse_time(progressing->at("lastUpdateTime").as_string());
  if (!since) return std::nullopt;
  // Times are kept in whole seconds, so that the deadline has surely passed only a second later.
  Duration left = *since + std::chrono::seconds(*deadline + 1) - now;
  return std::max<Duration>(left, std::chrono::seconds(1));
}

}  // namespace stead::controllers::deployment
