#pragma once

// Bootstrap tokens ("abcdef.0123456789abcdef"), kept as Secrets of type bootstrap.kubernetes.io/token in kube-system:
// with one, a machine that is to join may ask for its certificate. API loop only.

#include "apiserver/authentication/authenticator.h"
#include "cache/cache.h"

namespace stead::apiserver {

// The token's user is system:bootstrap:<id> in system:bootstrappers and the Secret's auth-extra-groups. `cache`
// outlives it.
std::unique_ptr<TokenAuthenticator> make_bootstrap_token_authenticator(const cache::Cache& cache);

}  // namespace stead::apiserver
