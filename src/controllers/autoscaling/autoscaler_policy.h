#pragma once

// What a HorizontalPodAutoscaler does now (Kubernetes v1.35 semantics). Pure: it changes only the history it is given.

#include <optional>
#include <string>
#include <vector>

#include "client/event_recorder.h"
#include "controllers/autoscaling/resource_replicas.h"
#include "controllers/autoscaling/scaling_rules.h"

namespace stead::controllers::autoscaling {

struct Observed {
  ObjectPtr autoscaler;
  Value scale;                             // of its target
  std::vector<ObjectPtr> pods;             // that the scale's selector matches
  Result<std::vector<ObjectPtr>> metrics;  // PodMetrics of those
};

struct Decision {
  Value status;
  std::optional<int64_t> replicas;  // the target's new size
  std::string reason;               // of the change
  std::vector<client::Event> events;
};

Decision decide(const Observed& observed, History& history, WallTime now);

// The status when the target could not be read: `error` says why.
Decision without_scale(const ObjectPtr& autoscaler, const Error& error, WallTime now);
// What becomes of a decision whose change was made, or refused.
Decision changed(const Observed& observed, Decision decision, History& history, WallTime now);
Decision refused(const Observed& observed, Decision decision, const Error& error, WallTime now);

}  // namespace stead::controllers::autoscaling
