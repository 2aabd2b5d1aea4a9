#include "controllers/statefulset/set_status.h"

#include "controllers/pod_state.h"
#include "controllers/requests.h"

namespace stead::controllers::statefulset {

std::optional<client::Request> status_update(const Object& set, const std::vector<ObjectPtr>& pods,
                                             const History& history, int64_t min_ready_seconds, WallTime now) {
  int64_t ready = 0;
  int64_t available = 0;
  int64_t current = 0;
  int64_t updated = 0;
  auto replicas = static_cast<int64_t>(pods.size());
  for (const ObjectPtr& pod : pods) {
    if (is_running_and_ready(*pod)) {
      ++ready;
      if (is_available(*pod, min_ready_seconds, now)) ++available;
    }
    if (pod->deleting()) continue;
    if (revision_of(*pod) == history.current) ++current;
    if (revision_of(*pod) == history.update) ++updated;
  }
  std::string current_revision = history.current;
  bool rolling = set.spec().at({"updateStrategy", "type"}).as_string() != "OnDelete";
  // A finished roll-out makes the update revision the current one.
  if (rolling && updated == replicas && ready == replicas) {
    current = updated;
    current_revision = history.update;
  }

  Value status = set.status();
  bool changed = false;
  auto set_number = [&](std::string_view name, int64_t number, bool shown_when_zero) {
    const Value* old = status.find(name);
    if (old != nullptr ? old->as_int() == number : number == 0 && !shown_when_zero) return;
    changed = true;
    if (number == 0 && !shown_when_zero) {
      status.erase(name);
    } else {
      status.set(name, number);
    }
  };
  auto set_text = [&](std::string_view name, const std::string& text) {
    if (status.at(name).as_string() == text) return;
    changed = true;
    status.set(name, text);
  };
  set_number("observedGeneration", set.metadata().at("generation").as_int(), false);
  set_number("replicas", replicas, true);
  set_number("readyReplicas", ready, false);
  set_number("availableReplicas", available, true);
  set_number("currentReplicas", current, false);
  set_number("updatedReplicas", updated, false);
  set_number("collisionCount", history.collision_count, true);
  set_text("currentRevision", current_revision);
  set_text("updateRevision", history.update);
  if (!changed) return std::nullopt;
  Value document = set.document();
  document.set("status", std::move(status));
  return update_request(kStatefulSets, std::move(document), "status");
}

}  // namespace stead::controllers::statefulset
