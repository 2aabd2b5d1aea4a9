#pragma once

// The subresources that are more than a part of their object: scale, binding, ephemeralcontainers, resize, finalize.
// API loop only.

#include "apiserver/authentication/service_account_tokens.h"
#include "apiserver/verbs.h"

namespace stead::apiserver {

// autoscaling/v1 Scale of a set. The response's object is the Scale document.
void get_scale(const Verbs& verbs, const Call& call, Callback done);
void update_scale(Verbs& verbs, Call call, Callback done);
void patch_scale(Verbs& verbs, Call call, Callback done);

// POST pods/NAME/binding: gives the pod its node, once.
void bind_pod(Verbs& verbs, Call call, WallTime now, Callback done);

// POST serviceaccounts/NAME/token. The response object is the TokenRequest with its status.
Result<Response> request_token(const ServiceAccountTokens& tokens, const NodeRestriction& nodes, Call call,
                               WallTime now);

// PUT and PATCH pods/NAME/ephemeralcontainers: may add to spec.ephemeralContainers only.
void write_ephemeral_containers(Verbs& verbs, Call call, object::StrictErrors strict, Callback done);

// PUT and PATCH pods/NAME/resize: may change CPU and memory of spec.containers and sidecars only (KEP-1287).
void resize_pod(Verbs& verbs, Call call, object::StrictErrors strict, Callback done);

// PUT namespaces/NAME/finalize: may change spec.finalizers only.
void finalize_namespace(Verbs& verbs, Call call, Callback done);

}  // namespace stead::apiserver
