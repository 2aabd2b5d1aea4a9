#pragma once

// Questions that the server answers at once and does not keep: who somebody is (authentication.k8s.io) and what they
// may do (authorization.k8s.io). API loop only.

#include "apiserver/authentication/authenticator.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/call.h"

namespace stead::apiserver {

class Reviews {
 public:
  // References outlive this. `audience` is the API's own.
  Reviews(Authenticator& authenticator, const Authorizer& authorizer, std::string audience)
      : authenticator_(authenticator), authorizer_(authorizer), audience_(std::move(audience)) {}

  // `review`, in hub form, with its status filled. kInvalid, kBadRequest.
  Result<Value> answer(const Call& call, Value review, WallTime now) const;

 private:
  Value review_token(const Value& spec, WallTime now) const;
  Result<Value> review_access(const Call& call, const Value& review) const;
  Result<Value> review_rules(const Call& call, const Value& spec) const;

  Authenticator& authenticator_;
  const Authorizer& authorizer_;
  const std::string audience_;
};

}  // namespace stead::apiserver
