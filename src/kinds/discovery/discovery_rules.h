#pragma once

// Rules of discovery.k8s.io: EndpointSlice.

#include "kinds/rules.h"

namespace stead::kinds {

KindRules endpoint_slice_rules();
void set_endpoint_slice_defaults(Value& slice);

}  // namespace stead::kinds
