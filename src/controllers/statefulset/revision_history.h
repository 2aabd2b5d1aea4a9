#pragma once

// The revisions of a StatefulSet's or DaemonSet's pod template, kept as ControllerRevisions `<set>-<hash>`. A template
// seen before reuses its revision with a new number, which is what `kubectl rollout undo` relies on. Pure.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/plan.h"
#include "object/object.h"

namespace stead::controllers::statefulset {

using client::ObjectPtr;
using object::Object;
using object::Value;

struct History {
  std::string current;  // name of the revision that pods below the partition have
  std::string update;   // name of the revision of the set's template
  const Value* current_template = nullptr;
  const Value* update_template = nullptr;
  int64_t collision_count = 0;
  // The write that makes `update` exist with the highest number; none when it does.
  std::optional<client::Plan::Step> write;
};

// `revisions` are those that `set` controls, in any order; `find` finds any revision of the namespace by name.
// Pointers in the result live as long as set and revisions.
History read_history(const Object& set, const std::vector<ObjectPtr>& revisions,
                     const std::function<ObjectPtr(std::string_view name)>& find);

// Deletions of the oldest revisions that no pod bears, beyond spec.revisionHistoryLimit.
std::vector<client::Plan::Step> truncate_history(const Object& set, const std::vector<ObjectPtr>& revisions,
                                                 const History& history, const std::vector<ObjectPtr>& pods);

// The label value of a pod that names its revision.
std::string_view revision_of(const Object& pod);
// The hash that a DaemonSet's revision carries as a label; empty for a StatefulSet's.
std::string_view hash_of(const Object& revision);

}  // namespace stead::controllers::statefulset
