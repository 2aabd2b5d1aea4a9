#pragma once

// `'%s is %d'.format([…])`. Internal to the room.

#include "cel/value.h"

namespace stead::cel {

// Texts that functions make are not longer than this, by much.
inline constexpr size_t kTextBytesMax = 10'000'000;

// An error Value for a malformed clause, a missing argument or one of the wrong type.
Value format_text(std::string_view format, const List& arguments);

}  // namespace stead::cel
