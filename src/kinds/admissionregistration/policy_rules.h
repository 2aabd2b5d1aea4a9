#pragma once

// Rules of admissionregistration.k8s.io: admission policies and their bindings.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules validating_admission_policy_rules();
KindRules validating_admission_policy_binding_rules();

}  // namespace stead::kinds
