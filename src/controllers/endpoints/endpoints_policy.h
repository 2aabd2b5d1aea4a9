#pragma once

// The Endpoints object of a Service: one subset per list of ports, addresses apart by readiness. Pure.

#include <vector>

#include "client/plan.h"
#include "controllers/endpoints/backends.h"

namespace stead::controllers::endpoints {

// `existing` may be null. A missing Service (`service` null) takes its Endpoints with it.
client::Plan decide_endpoints(const ObjectPtr& service, const std::vector<ObjectPtr>& pods, const ObjectPtr& existing);

}  // namespace stead::controllers::endpoints
