#pragma once

// What the server finds in a ValidatingAdmissionPolicy as it is written: doubts about its expressions, checked with the
// types of what it is about. Upstream has a controller for it. Pure but for the catalogue; API loop only.

#include "apiserver/call.h"

namespace stead::apiserver {

bool is_admission_policy(const Call& call);
// Sets status.observedGeneration and status.typeChecking.
void settle_policy(object::Value& policy, const Catalogue& catalogue);

}  // namespace stead::apiserver
