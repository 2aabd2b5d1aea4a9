#pragma once

// EndpointSlices of one Service (KEP-752): at most 100 endpoints each, an endpoint stays in the slice it is in, so that
// a change rewrites one slice. A Service without endpoints keeps one empty slice per family. Pure.

#include <functional>
#include <vector>

#include "client/plan.h"
#include "controllers/endpoints/backends.h"

namespace stead::controllers::endpoints {

struct SlicesObserved {
  ObjectPtr service;
  std::vector<ObjectPtr> pods;    // that the selector matches
  std::vector<ObjectPtr> slices;  // of this service and ours
  // The zone of a node; empty if unknown.
  std::function<std::string(std::string_view node)> zone;
};
client::Plan decide_slices(const SlicesObserved& observed);

inline constexpr std::string_view kServiceNameLabel = "kubernetes.io/service-name";
inline constexpr std::string_view kManagedByLabel = "endpointslice.kubernetes.io/managed-by";
inline constexpr std::string_view kSliceController = "endpointslice-controller.k8s.io";

}  // namespace stead::controllers::endpoints
