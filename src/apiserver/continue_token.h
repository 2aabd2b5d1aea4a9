#pragma once

// The continue token of chunked lists: opaque to clients, base64url of a small JSON text.

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace stead::apiserver {

struct ContinueToken {
  int64_t revision = 0;  // of the list's snapshot
  std::string after;     // key of the last object given
};

std::string encode_continue(const ContinueToken& token);
// kBadRequest: "continue key is not valid: …".
Result<ContinueToken> decode_continue(const std::string& text);

std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace stead::apiserver
