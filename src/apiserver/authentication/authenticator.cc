#include "apiserver/authentication/authenticator.h"

#include "base/log.h"
#include "http/signing_key.h"

namespace stead::apiserver {
namespace {

// Browsers cannot set headers of WebSockets: the token comes as one of the subprotocols.
std::optional<std::string> websocket_token(const http::Request& request) {
  constexpr std::string_view kPrefix = "base64url.bearer.authorization.k8s.io.";
  std::string_view protocols = request.header("Sec-WebSocket-Protocol");
  size_t at = protocols.find(kPrefix);
  if (at == std::string_view::npos) return std::nullopt;
  protocols.remove_prefix(at + kPrefix.size());
  return http::decode_base64url(protocols.substr(0, protocols.find_first_of(", ")));
}

// RFC 6750 section 2.1; the scheme's name is case-insensitive. nullopt where no bearer token is meant.
std::optional<std::string_view> bearer_token(const http::Request& request) {
  std::string_view header = request.header("Authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() < kScheme.size()) return std::nullopt;
  for (size_t i = 0; i < kScheme.size(); ++i) {
    char c = header[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c != kScheme[i]) return std::nullopt;
  }
  header.remove_prefix(kScheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  while (header.ends_with(' ')) header.remove_suffix(1);
  if (header.empty()) return std::nullopt;
  return header;
}

}  // namespace

Result<std::optional<TokenIdentity>> TokenAuthenticator::authenticate_for(std::string_view token,
                                                                          const std::vector<std::string>& audiences,
                                                                          WallTime now) {
  STEAD_TRY(identity, authenticate(token, now));
  if (!identity) return std::optional<TokenIdentity>();
  return std::optional(TokenIdentity{std::move(*identity), audiences});
}

Result<std::optional<client::Identity>> Authenticator::authenticate(const http::Request& request, WallTime now) {
  if (request.peer) {
    client::Identity identity{request.peer->common_name, {}, request.peer->organizations};
    identity.groups.emplace_back(kAuthenticated);
    return std::optional(std::move(identity));
  }
  std::optional<std::string> from_websocket = websocket_token(request);
  std::optional<std::string_view> token = bearer_token(request);
  if (!token && from_websocket && !from_websocket->empty()) token = *from_websocket;
  if (!token) return std::optional<client::Identity>();
  Result<client::Identity> identity = authenticate_token(*token, now);
  if (identity.ok()) return std::optional(std::move(*identity));
  log::debug("api", "a bearer token from {} is refused: {}", request.remote_address, identity.error().message);
  return make_error(Reason::kUnauthorized, "Unauthorized");
}

Result<client::Identity> Authenticator::authenticate_token(std::string_view token, WallTime now) {
  for (const auto& kind : kinds_) {
    STEAD_TRY(identity, kind->authenticate(token, now));
    if (!identity) continue;
    if (!identity->in_group(kAuthenticated)) identity->groups.emplace_back(kAuthenticated);
    return std::move(*identity);
  }
  return make_error(Reason::kUnauthorized, "invalid bearer token");
}

Result<TokenIdentity> Authenticator::review_token(std::string_view token, const std::vector<std::string>& audiences,
                                                  WallTime now) {
  for (const auto& kind : kinds_) {
    STEAD_TRY(found, kind->authenticate_for(token, audiences, now));
    if (!found) continue;
    if (!found->identity.in_group(kAuthenticated)) found->identity.groups.emplace_back(kAuthenticated);
    return std::move(*found);
  }
  return make_error(Reason::kUnauthorized, "invalid bearer token");
}

}  // namespace stead::apiserver
