#pragma once

// Base64 (RFC 4648 section 4) as Go's StdEncoding reads and writes it: padded, line breaks ignored.

#include <string>
#include <string_view>

#include "base/result.h"

namespace stead::object {

std::string encode_base64(std::string_view bytes);
// kBadRequest: "illegal base64 data at input byte N".
Result<std::string> decode_base64(std::string_view text);

}  // namespace stead::object
