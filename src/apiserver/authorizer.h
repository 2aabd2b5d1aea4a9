#pragma once

#include "apiserver/call.h"

namespace stead::apiserver {

// Whether `identity` may do what `request` asks: members of system:masters may do everything, others nothing yet.
// kForbidden with the sentence clients know.
Result<void> authorize(const client::Identity& identity, const client::Request& request);

}  // namespace stead::apiserver
