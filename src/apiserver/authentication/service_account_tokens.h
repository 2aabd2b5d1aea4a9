#pragma once

// Tokens of service accounts: issued for a while and bound to a pod, secret or node (KEP-1205), or kept in a secret as
// long as that lives; and what a bearer of one is. A token holds only as long as what it names is there under the same
// UID. API loop only.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "apiserver/authentication/authenticator.h"
#include "apiserver/call.h"
#include "base/random.h"
#include "cache/cache.h"
#include "http/signing_key.h"
#include "object/value.h"

namespace stead::apiserver {

using object::Value;

// "system:serviceaccount:ns:name" and the groups of every service account there.
std::string service_account_user(std::string_view ns, std::string_view name);
std::vector<std::string> service_account_groups(std::string_view ns);

class ServiceAccountTokens {
 public:
  // `issuer` is a URL, and the audience of tokens for this API. References outlive this.
  ServiceAccountTokens(cache::Cache& cache, Random& random, std::shared_ptr<const http::SigningKey> key,
                       std::string issuer);

  const std::string& issuer() const { return issuer_; }

  // POST serviceaccounts/NAME/token: `request` is a TokenRequest, shaped and defaulted; answers with its status filled.
  // kInvalid, kNotFound (account or bound object), kConflict (another UID).
  Result<Value> issue(const Call& call, Value request, WallTime now) const;

  // The text of a token that lives as long as `secret` and the account it names. kNotFound without the account.
  Result<std::string> issue_for_secret(const Value& secret, std::string_view account) const;

  // nullopt: not of this issuer. kUnauthorized, saying why: bad, too old, or what it is bound to is gone.
  Result<std::optional<TokenIdentity>> verify(std::string_view token, const std::vector<std::string>& audiences,
                                              WallTime now);

  // GET /openid/v1/jwks (RFC 7517) and /.well-known/openid-configuration.
  Value key_set() const;
  Value configuration(const std::string& jwks_url) const;

 private:
  // One of the API's objects that a token names.
  struct Reference {
    std::string name, uid;
  };
  struct Claims {
    std::string ns, id;
    Reference account, pod, secret, node;
    std::vector<std::string> audiences;  // empty: of a secret, and so for this API
    int64_t not_before_s = 0;
    int64_t expires_s = 0;  // 0: never
  };
  using ClaimsPtr = std::shared_ptr<const Claims>;
  using Known = std::unordered_map<std::string, ClaimsPtr>;

  Result<object::ObjectPtr> bound_object(const Call& call, const Value& reference) const;
  static Claims read_bound(const Value& claims);
  static Claims read_secret_bound(const Value& claims);
  // The claims of a token whose signature holds; from memory if it has been seen lately.
  Result<ClaimsPtr> claims_of(std::string_view token, const Value& claims, std::string digest);
  Result<void> check_reference(std::string_view resource, std::string_view what, const std::string& ns,
                               const Reference& reference, WallTime now) const;
  Result<void> check(const Claims& claims, WallTime now) const;

  cache::Cache& cache_;
  Random& random_;
  const std::shared_ptr<const http::SigningKey> key_;
  const std::string issuer_;
  // Two generations: what is asked for again moves to the younger one, and the older is dropped when that is full.
  Known young_, old_;
};

// Makes ServiceAccountTokens one of the authenticator's kinds; the tokens outlive it.
std::unique_ptr<TokenAuthenticator> make_service_account_authenticator(ServiceAccountTokens& tokens);

}  // namespace stead::apiserver
