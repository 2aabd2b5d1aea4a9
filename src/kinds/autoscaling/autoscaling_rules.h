#pragma once

// Rules of autoscaling: HorizontalPodAutoscaler.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules horizontal_pod_autoscaler_rules();

// autoscaling/v2. Without metrics, 80 % of the requested CPU.
void set_autoscaler_defaults(Value& autoscaler);
// autoscaling/v1 knows the CPU target only; whatever else there is travels in annotations.
void autoscaler_from_v1(Value& autoscaler);
void autoscaler_to_v1(Value& autoscaler);

}  // namespace stead::kinds
