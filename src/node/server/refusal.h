#pragma once

#include "base/error.h"
#include "http/http.h"

namespace stead::node {

// The error as a meta/v1 Status document with its HTTP code, which the API server passes on as it is.
http::Response refusal(const Error& error);

}  // namespace stead::node
