#include "apiserver/authentication/json_web_token.h"

#include "object/codec.h"

namespace stead::apiserver {
namespace {

constexpr size_t kTokenBytesMax = 16 * 1024;

struct Parts {
  std::string_view header, claims, signature, signed_text;
};

std::optional<Parts> split(std::string_view token) {
  if (token.size() > kTokenBytesMax) return std::nullopt;
  size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
               token.substr(0, second)};
}

std::optional<Value> read_object(std::string_view part) {
  std::optional<std::string> text = http::decode_base64url(part);
  if (!text) return std::nullopt;
  Result<Value> value = object::parse_json(*text);
  if (!value.ok() || !value->is_object()) return std::nullopt;
  return std::move(*value);
}

}  // namespace

Result<std::string> sign_token(const http::SigningKey& key, const Value& claims) {
  Value header = Value::object({{"alg", "ES256"}, {"kid", key.id()}, {"typ", "JWT"}});
  std::string text =
      http::encode_base64url(object::to_json(header)) + "." + http::encode_base64url(object::to_json(claims));
  STEAD_TRY(signature, key.sign(text));
  return text + "." + http::encode_base64url(signature);
}

std::optional<Value> read_claims(std::string_view token) {
  std::optional<Parts> parts = split(token);
  if (!parts) return std::nullopt;
  return read_object(parts->claims);
}

bool signed_by(const http::SigningKey& key, std::string_view token) {
  std::optional<Parts> parts = split(token);
  if (!parts) return false;
  std::optional<Value> header = read_object(parts->header);
  if (!header || header->at("alg").as_string() != "ES256") return false;
  if (const Value* id = header->find("kid"); id != nullptr && id->as_string() != key.id()) return false;
  std::optional<std::string> signature = http::decode_base64url(parts->signature);
  return signature && key.verify(parts->signed_text, *signature);
}

}  // namespace stead::apiserver
