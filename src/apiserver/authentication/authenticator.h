#pragma once

// From a request's credentials to an identity: the verified client certificate, else the bearer token, which each kind
// of token in turn may know. API loop only.

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "client/transport.h"
#include "http/http.h"

namespace stead::apiserver {

inline constexpr std::string_view kAuthenticated = "system:authenticated";

// Whose a token is, and for whom it was made: those of the audiences asked for.
struct TokenIdentity {
  client::Identity identity;
  std::vector<std::string> audiences;
};

// One kind of bearer token.
class TokenAuthenticator {
 public:
  virtual ~TokenAuthenticator() = default;
  // The token's user; nullopt for a token of another kind. An error for one of this kind that does not hold (any
  // longer): its text is logged and told to token reviews, never to the bearer.
  virtual Result<std::optional<client::Identity>> authenticate(std::string_view token, WallTime now) = 0;
  // The same for a token meant for one of `audiences`. A kind that knows no audiences is meant for all.
  virtual Result<std::optional<TokenIdentity>> authenticate_for(std::string_view token,
                                                                const std::vector<std::string>& audiences,
                                                                WallTime now);
};

class Authenticator {
 public:
  void add(std::unique_ptr<TokenAuthenticator> kind) { kinds_.push_back(std::move(kind)); }

  // With system:authenticated added. nullopt: the request carries no credentials. kUnauthorized: it carries such as
  // nobody has.
  Result<std::optional<client::Identity>> authenticate(const http::Request& request, WallTime now);
  // kUnauthorized with the reason, for whoever may know it.
  Result<client::Identity> authenticate_token(std::string_view token, WallTime now);
  // The same for a token meant for one of `audiences`.
  Result<TokenIdentity> review_token(std::string_view token, const std::vector<std::string>& audiences, WallTime now);

 private:
  std::vector<std::unique_ptr<TokenAuthenticator>> kinds_;
};

}  // namespace stead::apiserver
