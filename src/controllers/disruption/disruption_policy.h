#pragma once

// How many pods a PodDisruptionBudget lets go at present (Kubernetes v1.35 semantics). Pure.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "client/transport.h"

namespace stead::controllers::disruption {

using client::ObjectPtr;
using object::Object;
using object::Value;

// Who owns a pod, and how many pods that should have.
struct Scale {
  std::string uid;
  int64_t replicas = 0;
};

struct Observed {
  ObjectPtr budget;
  std::vector<ObjectPtr> pods;  // that its selector matches, with its namespace
  // The top owner of a pod; nullopt for a pod without controller, an error for one whose size is unknown.
  std::function<Result<std::optional<Scale>>(const Object& pod)> scale_of;
};

struct Decision {
  Value status;
  std::optional<Duration> look_again;
  // Why the count is unknown: no pod may be evicted then.
  std::optional<std::string> failure;
  std::vector<std::string> unmanaged;  // names of pods that nobody controls, where that makes the count wrong
};
Decision decide(const Observed& observed, WallTime now);

}  // namespace stead::controllers::disruption
