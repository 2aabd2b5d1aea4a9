#pragma once

// How an agent knows its server and is known to it. Kept under <data-dir>/pki with mode 0600.

#include <string>

#include "base/result.h"
#include "cli/data_dir.h"
#include "http/client.h"
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

// What the data directory has for that node; joins with `token` where there is nothing, or only what has expired.
// kInvalid names what is wrong: no token, a certificate of another node. Blocks.
Result<AgentCredentials> find_agent_credentials(const cli::DataDir& data_dir, const ServerAddress& server,
                                                const std::string& node_name, const std::string& token);

Result<void> save_key_pair(const cli::DataDir& data_dir, const std::string& name, const http::KeyPair& pair);

// A short-lived client with these credentials.
http::ClientOptions client_of(const ServerAddress& server, const AgentCredentials& credentials);

}  // namespace stead::app
