#pragma once

// What a ReplicaSet or ReplicationController needs next (Kubernetes v1.35 semantics). Pure: the same observation and
// time give the same decision.
//
//   orphan that the selector matches ──adopt──▶ member ──no longer matches──▶ released
//   too few active members: make the missing ones; too many: end those that sort_for_scale_down() puts first
//
// A member is active until it terminates or has Succeeded or Failed; such pods are replaced, never counted.

#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "client/plan.h"
#include "controllers/replicaset/scale_down_order.h"
#include "object/selector.h"

namespace stead::controllers::replicaset {

using object::Object;
using object::Value;

struct Observed {
  ObjectPtr set;
  // Every pod that the set controls, and every one of its namespace that nobody controls.
  std::vector<ObjectPtr> pods;
  // Pods of the sets that share this one's owner, itself included; asked only before scaling down.
  std::function<std::vector<ObjectPtr>()> related;
};

struct Members {
  std::vector<ObjectPtr> active;
  std::vector<ObjectPtr> terminating;
  // Adoptions and releases to make before anything else.
  std::vector<client::Plan> ownership;
};
Members find_members(const Observed& observed);

// Of a ReplicationController it is a plain map.
Result<object::LabelSelector> selector_of(const Object& set);
bool is_active(const Object& pod);
int64_t wanted_replicas(const Object& set);

struct Decision {
  std::vector<Value> creations;
  std::vector<ObjectPtr> deletions;
};
// Nothing for a set that is being deleted.
Decision decide(const Observed& observed, const Members& members, WallTime now);

}  // namespace stead::controllers::replicaset
