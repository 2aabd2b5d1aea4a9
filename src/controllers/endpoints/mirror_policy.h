#pragma once

// EndpointSlices made of Endpoints that people or programs keep by hand, for Services without a selector (KEP-752,
// EndpointSlice mirroring): who reads slices sees them too. Pure.

#include <vector>

#include "client/plan.h"
#include "object/object.h"

namespace stead::controllers::endpoints {

struct MirrorObserved {
  object::ObjectPtr endpoints;            // null: there is none
  object::ObjectPtr service;              // of the same name; null: there is none
  std::vector<object::ObjectPtr> slices;  // mirrored for this name
};

client::Plan decide_mirror(const MirrorObserved& observed);

inline constexpr std::string_view kMirrorController = "endpointslicemirroring-controller.k8s.io";

}  // namespace stead::controllers::endpoints
