#pragma once

// Rules of flowcontrol.apiserver.k8s.io: FlowSchema, PriorityLevelConfiguration.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules flow_schema_rules();
KindRules priority_level_configuration_rules();

}  // namespace stead::kinds
