#pragma once

// Rules of coordination.k8s.io: Lease.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules lease_rules();

}  // namespace stead::kinds
