#pragma once

// A question over a Unix socket, answered until the other side closes. Blocking, any thread.

#include <sys/types.h>

#include <chrono>
#include <string>

#include "base/result.h"

namespace stead::network::ingress {

// kUnavailable: nobody listens; kTimeout; kInvalid: the path is longer than an address of a socket can be.
Result<std::string> call_unix(const std::string& path, const std::string& question, std::chrono::milliseconds limit);

// The process that listens on `path`; 0 if none does.
pid_t listener_of(const std::string& path);

}  // namespace stead::network::ingress
