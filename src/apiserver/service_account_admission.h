#pragma once

// What service accounts bring to pods and to the secrets that hold their tokens (kube-apiserver's ServiceAccount
// admission and its token controller). API loop only.

#include "apiserver/authentication/service_account_tokens.h"
#include "apiserver/call.h"
#include "base/random.h"
#include "cache/cache.h"

namespace stead::apiserver {

class ServiceAccountAdmission {
 public:
  // `root_ca_pem` is what token secrets carry as ca.crt. References outlive this.
  ServiceAccountAdmission(cache::Cache& cache, Random& random, const ServiceAccountTokens& tokens,
                          std::string root_ca_pem)
      : cache_(cache), random_(random), tokens_(tokens), root_ca_pem_(std::move(root_ca_pem)) {}

  // Names the account, takes over its pull secrets, and mounts a token, the CA and the namespace where the pod or its
  // account does not say otherwise. kForbidden for an account that is not there; only `default`, which a new namespace
  // is about to get, may be missing.
  Result<void> complete_pod(const Call& call, object::Value& pod) const;

  // Fills a secret of type kubernetes.io/service-account-token whose account is there.
  void complete_secret(object::Value& secret) const;

 private:
  void mount_token(object::Value& pod) const;

  cache::Cache& cache_;
  Random& random_;
  const ServiceAccountTokens& tokens_;
  const std::string root_ca_pem_;
};

}  // namespace stead::apiserver
