#pragma once

// Rules of policy: PodDisruptionBudget.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules pod_disruption_budget_rules();
// An empty selector selects nothing in policy/v1beta1 and every pod in policy/v1.
void budget_from_v1beta1(Value& budget);
void budget_to_v1beta1(Value& budget);

}  // namespace stead::kinds
