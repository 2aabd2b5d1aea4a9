#pragma once

// ComponentStatus, the old answer to how the control plane is. Its parts are in this process: who gets an answer has
// them all. API loop only.

#include "apiserver/call.h"

namespace stead::apiserver {

// get and list; kMethodNotAllowed for other verbs.
Result<client::Response> answer_component_statuses(const Call& call, int64_t revision);

}  // namespace stead::apiserver
