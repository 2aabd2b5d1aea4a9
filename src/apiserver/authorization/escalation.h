#pragma once

// Nobody grants rights that they do not hold: the checks on writes of roles and bindings (Kubernetes' "privilege
// escalation prevention"). API loop only.

#include "apiserver/authorization/authorizer.h"
#include "apiserver/call.h"

namespace stead::apiserver {

// Whether `call` may store `document`; `old` is null at a creation. Fine for all but roles and bindings. A role needs
// its rights, or the verb `escalate` on it; a binding the rights of its role, or the verb `bind` on the role.
// kForbidden naming the rights that are missing, kNotFound for a binding to a role that is not there.
Result<void> check_escalation(const Authorizer& authorizer, const cache::Cache& cache, const Call& call,
                              const Value& document, const Value* old);

}  // namespace stead::apiserver
