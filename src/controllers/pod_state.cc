#include "controllers/pod_state.h"

#include "kinds/core/pod_state.h"
#include "kinds/meta/conditions.h"
#include "object/time.h"

namespace stead::controllers {

const Value* find_condition(const Object& object, std::string_view type) {
  return kinds::find_condition(object.status(), type);
}

std::string_view phase_of(const Object& pod) { return pod.status().at("phase").as_string(); }

bool is_finished(const Object& pod) { return kinds::is_pod_terminated(pod.document()); }

bool is_ready(const Object& pod) { return kinds::is_condition_true(pod.status(), "Ready"); }

bool is_running_and_ready(const Object& pod) { return phase_of(pod) == "Running" && is_ready(pod); }

std::optional<WallTime> available_from(const Object& pod, int64_t min_ready_seconds) {
  if (!is_ready(pod)) return std::nullopt;
  if (min_ready_seconds <= 0) return WallTime{};
  auto since = object::parse_time(find_condition(pod, "Ready")->at("lastTransitionTime").as_string());
  if (!since) return std::nullopt;
  return *since + std::chrono::seconds(min_ready_seconds);
}

bool is_available(const Object& pod, int64_t min_ready_seconds, WallTime now) {
  auto from = available_from(pod, min_ready_seconds);
  return from && *from <= now;
}

}  // namespace stead::controllers
