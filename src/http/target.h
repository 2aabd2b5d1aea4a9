#pragma once

// The target of a request line (RFC 9112 section 3.2) taken apart.

#include "http/http.h"

namespace stead::http {

// Fills path and query from request.target; false if the target is in no form that an origin server answers, has a
// malformed escape, or its path holds a NUL.
bool parse_target(Request& request);

}  // namespace stead::http
