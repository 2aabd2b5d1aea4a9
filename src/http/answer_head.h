#pragma once

// What the heads of answers have in common in HTTP/1.1 and HTTP/2. Pure, but for the date's cache of a thread.

#include <string>
#include <string_view>

#include "base/clock.h"

namespace stead::http {

// RFC 9110 section 5.6.7. Formatted once a second; the view holds until the thread's next call.
std::string_view date_text(WallTime now);

bool status_has_body(int status);

// Without what could end a header's line: a value that came from a user must not start another header.
std::string header_value(std::string_view value);

}  // namespace stead::http
