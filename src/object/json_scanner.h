#pragma once

// The slow path of parse_json(), taken only when simdjson refuses a text. Go's decoder, whose behaviour clients
// know, names the first wrong byte and accepts some texts that simdjson does not: invalid UTF-8 and lone
// surrogates (each read as U+FFFD) and integers beyond 64 bits (read as floating point).

#include <string>
#include <string_view>

#include "base/result.h"

namespace stead::object {

// The same document in a spelling that simdjson accepts, or kBadRequest saying what is wrong at which byte.
// `depth_max` bounds nesting. Pure.
Result<std::string> respell_json(std::string_view text, int depth_max);

}  // namespace stead::object
