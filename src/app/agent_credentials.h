#pragma once

// How an agent knows its server and is known to it. Kept under <data-dir>/pki with mode 0600.

#include <string>

#include "base/result.h"
#include "cli/data_dir.h"
#include "http/x509.h"

namespace stead::app {

struct ServerAddress {
  std::string host;
  uint16_t port = 6443;
  // "https://192.0.2.10:6443"; the port may be left out. kInvalid names what is wrong.
  static Result<ServerAddress> parse(const std::string& url);
};

struct AgentCredentials {
  std::string ca_pem;
  http::KeyPair client;  // of the user system:node:NAME
};

// What the data directory has. kUnauthorized: nothing, or only what has expired.
Result<AgentCredentials> find_agent_credentials(const cli::DataDir& data_dir);

}  // namespace stead::app
