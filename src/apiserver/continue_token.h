#pragma once

// The continue token of chunked lists: opaque to clients, base64url of a small JSON text.

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace stead::apiserver {

// Marks the cause of an expired token's error that carries a token to go on with; it becomes metadata.continue.
inline constexpr std::string_view kContinueCause = "ContinueToken";
// Instead of a revision: go on in what is there now, though it is not what the list began with.
inline constexpr int64_t kLatestRevision = -1;

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
