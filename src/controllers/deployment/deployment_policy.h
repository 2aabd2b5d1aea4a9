#pragma once

// What a Deployment needs next (Kubernetes v1.35 semantics). Pure: the same observation and time give the same
// decision.
//
//   template seen before? ──no──▶ new replica set, with as many pods as there is room for
//            │yes                       │
//            └──────▶ the new set ◀─────┘   RollingUpdate: grows while sets together stay within replicas + maxSurge;
//                                           old sets shrink while available pods stay above replicas - maxUnavailable,
//                                           those that are not available first
//                                           Recreate: old sets go to 0, and only when their pods are gone the new
//                                           starts
//   paused: sizes follow spec.replicas, but no set is made; scaled in the middle: all sets in proportion
//   complete: old sets without pods go, beyond spec.revisionHistoryLimit
//
// Every size written depends on the version of the set that it was read from, so a stale observation ends in a conflict
// and a new decision.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "client/plan.h"
#include "object/object.h"

namespace stead::controllers::deployment {

using client::ObjectPtr;

struct Observed {
  ObjectPtr deployment;
  // Every replica set that the deployment controls, and every one of its namespace that nobody controls.
  std::vector<ObjectPtr> sets;
  // The replica set of the namespace with that name; nullptr if there is none.
  std::function<ObjectPtr(std::string_view name)> set;
  // The pods that a replica set controls.
  std::function<std::vector<ObjectPtr>(const object::Object& set)> pods;
};

struct Decision {
  // Adoptions and releases; the rest is empty while there are some.
  std::vector<client::Plan> ownership;
  // In this order, the status last.
  client::Plan work;
  // The name of the replica set that the first step makes; empty if it makes none.
  std::string creates;
};
Decision decide(const Observed& observed, WallTime now);

// What to say when the replica set could not be made; nullopt if nothing changes.
std::optional<client::Request> creation_failed(const object::Object& deployment, const std::string& set,
                                               const Error& error, WallTime now);

}  // namespace stead::controllers::deployment
