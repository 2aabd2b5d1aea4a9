#pragma once

// How subcommands reach the API of a data directory's cluster.

#include <string>

#include "base/result.h"
#include "http/client.h"

namespace stead::cli {

// The address and the administrator's certificate, as `stead up` left them. An error where no cluster was ever started.
Result<http::ClientOptions> api_of(const std::string& data_dir);

}  // namespace stead::cli
