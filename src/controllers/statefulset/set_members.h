#pragma once

// Which pods and revisions belong to a StatefulSet, and the adoptions and releases that make it so (the rules of
// controller references: the UID decides, a matching selector adopts orphans only). Pure.

#include <map>
#include <vector>

#include "controllers/statefulset/statefulset_policy.h"

namespace stead::controllers::statefulset {

struct Members {
  std::vector<ObjectPtr> pods;
  std::vector<ObjectPtr> revisions;
  // By ordinal: objects in the way, that bear a name of the set without being its pods.
  std::map<int64_t, ObjectPtr> strangers;
  // Adoptions and releases to make before anything else.
  std::vector<client::Plan> ownership;
};

Members find_members(const Observed& observed);

}  // namespace stead::controllers::statefulset
