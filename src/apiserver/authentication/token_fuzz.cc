// Any text as a bearer token, a continue token, a proxied name or an Accept header: nobody gets in, and what is read
// back is what was written.

#include "apiserver/authentication/json_web_token.h"
#include "apiserver/continue_token.h"
#include "apiserver/front_end/negotiation.h"
#include "apiserver/front_end/proxy.h"
#include "apiserver/front_end/route.h"
#include "base/check.h"
#include "http/signing_key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead;
  using namespace stead::apiserver;
  std::string text(reinterpret_cast<const char*>(data), size);
  static const auto key = *http::SigningKey::from_pem(*http::SigningKey::generate());
  static const std::string made = *sign_token(*key, object::Value::object({{"sub", "system:serviceaccount:a:b"}}));
  STEAD_CHECK(signed_by(*key, made) && read_claims(made).has_value());
  STEAD_CHECK(text == made || !signed_by(*key, text), text);
  auto claims = read_claims(text);
  STEAD_CHECK(!claims || claims->is_object(), text);
  // Header and signature of a good token around other claims.
  size_t dot = made.find('.');
  std::string forged = made.substr(0, dot + 1) + http::encode_base64url(text) + made.substr(made.rfind('.'));
  STEAD_CHECK(!signed_by(*key, forged) || forged == made, forged);

  if (auto token = decode_continue(text); token.ok()) {
    auto again = decode_continue(encode_continue(*token));
    STEAD_CHECK(again.ok() && again->revision == token->revision && again->after == token->after, text);
  }
  ContinueToken token{int64_t{42}, text};
  auto again = decode_continue(encode_continue(token));
  STEAD_CHECK(!again.ok() || again->revision == 42, text);
  if (auto name = parse_proxy_name(text)) STEAD_CHECK(name->name.size() <= size);
  Route route = parse_route(text);
  STEAD_CHECK(route.kind != Route::Kind::kResource || !route.resource.empty(), text);
  (void)negotiate(text);
  (void)negotiate(text, AnswerKind::kWatch);
  (void)body_form(text);
  (void)wants_aggregated_discovery(text);
  return 0;
}
