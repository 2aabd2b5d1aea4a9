#pragma once

// Rules of node.k8s.io: RuntimeClass.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules runtime_class_rules();

}  // namespace stead::kinds
