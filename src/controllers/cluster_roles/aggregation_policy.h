#pragma once

// The rules of a cluster role that aggregates others. Pure.

#include <vector>

#include "client/plan.h"
#include "controllers/requests.h"

namespace stead::controllers::cluster_roles {

// `roles` are all cluster roles, by name. The rules of those that a selector matches follow each other without
// repetition, selector by selector and then by name. Nothing to do where they already stand so.
client::Plan decide(const object::Object& role, const std::vector<ObjectPtr>& roles);

}  // namespace stead::controllers::cluster_roles
