#include "apiserver/continue_token.h"

#include "object/codec.h"

namespace stead::apiserver {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string base64url_encode(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (unsigned char byte : bytes) {
    bits = (bits << 8) | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += kAlphabet[(bits >> count) & 63];
    }
  }
  if (count > 0) text += kAlphabet[(bits << (6 - count)) & 63];
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (char character : text) {
    if (character == '=') break;
    size_t digit = kAlphabet.find(character);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 0xff);
    }
  }
  return bytes;
}

std::string encode_continue(const ContinueToken& token) {
  return base64url_encode(object::to_json(
      object::Value::object({{"v", "meta.k8s.io/v1"}, {"rv", token.revision}, {"start", token.after}})));
}

Result<ContinueToken> decode_continue(const std::string& text) {
  auto bad = [](std::string_view why) {
    return make_error(Reason::kBadRequest, "continue key is not valid: " + std::string(why));
  };
  auto bytes = base64url_decode(text);
  if (!bytes) return bad("not base64");
  Result<object::Value> parsed = object::parse_json(*bytes);
  if (!parsed.ok() || !parsed->is_object()) return bad("not a token of this server");
  if (parsed->at("v").as_string() != "meta.k8s.io/v1") return bad("unknown version");
  ContinueToken token{parsed->at("rv").as_int(), std::string(parsed->at("start").as_string())};
  if ((token.revision <= 0 && token.revision != kLatestRevision) || token.after.empty()) return bad("incomplete");
  return token;
}

}  // namespace stead::apiserver
