#include "controllers/pod_state.h"

#include "object/time.h"

namespace stead::controllers {

const Value* find_condition(const Object& object, std::string_view type) {
  for (const Value& condition : object.status().at("conditions").items()) {
    if (condition.at("type").as_string() == type) return &condition;
  }
  return nullptr;
}

std::string_view phase_of(const Object& pod) { return pod.status().at("phase").as_string(); }

bool is_finished(const Object& pod) {
  std::string_view phase = phase_of(pod);
  return phase == "Succeeded" || phase == "Failed";
}

bool is_ready(const Object& pod) {
  const Value* ready = find_condition(pod, "Ready");
  return ready != nullptr && ready->at("status").as_string() == "True";
}

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
