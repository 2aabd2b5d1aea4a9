#pragma once

// What a StatefulSet needs next (Kubernetes v1.35 semantics: the StatefulSet concept page, KEPs 961, 1847, 2599 and
// 3335). Pure: the same observation and time give the same decision.
//
// OrderedReady goes through the replicas in order of ordinals and stops at the first that is not settled; only when
// all are, it ends the highest condemned pod (one outside the ordinals); only when none is left, it ends a pod of an
// old revision. Parallel does not stop between pods, but keeps the order of the three stages.
//
//   missing ──create claims, pod──▶ pending ──▶ running and ready ──minReadySeconds──▶ available
//      ▲                                                                                  │
//      └────── object gone ◀── terminating ◀── failed, condemned, or of an old revision ◀──┘
//
// Safety: a name is used again only after no object bears it; nothing here deletes a claim.

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "client/plan.h"
#include "object/object.h"

namespace stead::controllers::statefulset {

using client::ObjectPtr;

struct Observed {
  ObjectPtr set;
  // Every pod that the set controls, and every other one that bears a name the set gives.
  std::vector<ObjectPtr> pods;
  // Every ControllerRevision that the set controls, and those that nobody controls and its selector matches.
  std::vector<ObjectPtr> revisions;
  // The claim, and the ControllerRevision, of the set's namespace with that name; nullptr if there is none.
  std::function<ObjectPtr(std::string_view name)> claim;
  std::function<ObjectPtr(std::string_view name)> revision;
};

struct Decision {
  // Independent of each other; may be applied at the same time.
  std::vector<client::Plan> work;
  // The write of status, if it differs from what the set says.
  std::optional<client::Request> status;
  // When time alone changes the decision (minReadySeconds).
  std::optional<Duration> look_again;
};

Decision decide(const Observed& observed, WallTime now);

}  // namespace stead::controllers::statefulset
