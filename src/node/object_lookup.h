#pragma once

// What the documents of pods refer to, as the pure parts see it. `name` is in the pod's namespace ("configmaps",
// "secrets", "persistentvolumeclaims") or cluster-wide ("persistentvolumes"). nullptr: there is no such object.

#include <functional>
#include <string_view>

#include "object/object.h"

namespace stead::node {

using ObjectLookup = std::function<object::ObjectPtr(std::string_view resource, std::string_view name)>;

}  // namespace stead::node
