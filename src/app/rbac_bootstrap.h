#pragma once

// Brings the bootstrap roles and bindings up to date at every start: what is missing is made, what people changed
// keeps their changes (apiserver/authorization/bootstrap_policy.h). Through the API like everything else.

#include <functional>

#include "client/transport.h"

namespace stead::app {

// The namespaces kube-system and kube-public must be there. `done` runs on the transport's loop, with the first error
// if there was one.
void bootstrap_rbac(client::ApiTransport& transport, std::function<void(Result<void>)> done);

}  // namespace stead::app
