#pragma once

// What a DaemonSet needs next (Kubernetes v1.35 semantics; surge: KEP-1591). Pure: the same observation and time give
// the same decision.
//
//   node that should run the pod ──none there──▶ make one
//   node with an old pod ──update allows one more to be away──▶ end it (with maxSurge: make the new one first)
//   node that should not ──▶ end the pod, unless only new ones are unwelcome

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "client/plan.h"
#include "controllers/daemonset/node_fit.h"
#include "controllers/statefulset/revision_history.h"

namespace stead::controllers::daemonset {

struct Observed {
  ObjectPtr set;
  // Every pod that the set controls, and every one of its namespace that nobody controls.
  std::vector<ObjectPtr> pods;
  std::vector<ObjectPtr> nodes;
  // When a failed pod of a node may be deleted and so replaced; nodes without failures are absent.
  std::map<std::string, WallTime> retry_at;
};

// The set's own pods by node, oldest first.
using PodsByNode = std::map<std::string, std::vector<ObjectPtr>, std::less<>>;

struct Members {
  std::vector<ObjectPtr> pods;
  PodsByNode by_node;
  // Adoptions and releases to make before anything else.
  std::vector<client::Plan> ownership;
};
Members find_members(const Observed& observed);

struct Decision {
  std::vector<Value> creations;
  std::vector<ObjectPtr> deletions;
  std::vector<ObjectPtr> failed;  // among the deletions
  std::optional<Duration> look_again;
};
// `hash` is the revision of the set's template. Nothing for a set that is being deleted.
Decision decide(const Observed& observed, const Members& members, std::string_view hash, WallTime now);

// The number or percentage, of `total`, rounded up.
int64_t scaled(const Value& count_or_percent, int64_t total);

}  // namespace stead::controllers::daemonset
