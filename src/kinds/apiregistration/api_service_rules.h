#pragma once

// Rules of apiregistration.k8s.io: APIService.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules api_service_rules();

}  // namespace stead::kinds
