#pragma once

// spec.rollbackTo of apps/v1beta1, kept as an annotation (today's kubectl writes the old template itself): the template
// and annotations of an earlier revision become the deployment's. Pure.

#include <optional>
#include <vector>

#include "client/plan.h"
#include "controllers/deployment/revisions.h"

namespace stead::controllers::deployment {

// The write that rolls back, or that takes away a request which cannot be met; nullopt where nothing was asked for.
std::optional<client::Plan> roll_back(const ObjectPtr& deployment, const std::vector<ObjectPtr>& sets);

}  // namespace stead::controllers::deployment
