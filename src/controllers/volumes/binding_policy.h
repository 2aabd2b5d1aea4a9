#pragma once

// Binding of claims and volumes (the Persistent Volumes concept page; KEP-490 for delayed binding, KEP-3333 for the
// retroactive default class). Both sides are decided separately and each write is a compare-and-set, so a crash
// between two writes is finished by the next decision. Pure.
//
//   claim:   Pending ─▶ Bound ─▶ Lost (its volume is gone)
//   volume:  Available ─▶ Bound ─▶ Released ─▶ deleted (policy Delete) or kept (Retain)
//                                     └─▶ Failed (cannot be deleted)

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "client/plan.h"

namespace stead::controllers::volumes {

using client::ObjectPtr;

struct ClaimObserved {
  ObjectPtr claim;
  // By name; nullptr if there is none.
  std::function<ObjectPtr(std::string_view name)> volume;
  std::function<ObjectPtr(std::string_view name)> storage_class;
  // Every volume, and every class: read only while the claim is unbound.
  std::function<std::vector<ObjectPtr>()> volumes;
  std::function<std::vector<ObjectPtr>()> storage_classes;
  // Pods that use the claim and have no node yet.
  std::vector<std::string> waiting_pods;
};
client::Plan decide_claim(const ClaimObserved& observed);

struct VolumeObserved {
  ObjectPtr volume;
  // The claim that claimRef names, by namespace and name; nullptr if there is none.
  ObjectPtr claim;
};
client::Plan decide_volume(const VolumeObserved& observed);

// The class that claims without one get: marked default, the newest of several; nullptr if none is.
ObjectPtr default_class(const std::vector<ObjectPtr>& storage_classes);

}  // namespace stead::controllers::volumes
