#pragma once

// Rules of admissionregistration.k8s.io: webhook configurations.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules mutating_webhook_configuration_rules();
KindRules validating_webhook_configuration_rules();

}  // namespace stead::kinds
