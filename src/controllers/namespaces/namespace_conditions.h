#pragma once

// What a namespace that is being deleted says of what keeps it (the five conditions of core/v1 NamespaceStatus). Pure.

#include <span>

#include "base/clock.h"
#include "controllers/namespaces/namespace_policy.h"

namespace stead::controllers::namespaces {

// `status` with the five conditions, given what has been told to go and is still there.
object::Value with_deletion_conditions(object::Value status, std::span<const Content> remaining, WallTime now);

}  // namespace stead::controllers::namespaces
