#pragma once

// How a machine gets its certificates: by certificate signing requests, first with a join token, then with what it has.
// All of it blocks.

#include <chrono>
#include <string>
#include <vector>

#include "app/agent_credentials.h"
#include "base/clock.h"
#include "cli/join_token.h"
#include "http/client.h"

namespace stead::app {

// From a server that is not known yet: its CA certificate, which must have the fingerprint of the token. kUnauthorized:
// it has not. kInvalid: this machine's clock and the server's are too far apart for certificates to be trusted.
Result<std::string> fetch_ca(const ServerAddress& server, const cli::JoinToken& token, const Clock& clock);

// Pure: `date` is the server's, as HTTP writes it; an empty one is not held against it.
Result<void> check_clock(const std::string& date, WallTime now);

struct CertificateWish {
  std::string signer;
  http::LeafRequest subject;
  std::vector<std::string> usages;
};
CertificateWish client_wish(const std::string& node_name);
CertificateWish serving_wish(const std::string& node_name, const std::string& node_ip);

// Asks with `server`'s credentials and waits for the answer until `limit`. kForbidden: denied, with the reason given;
// kTimeout: nobody has decided.
Result<http::KeyPair> request_certificate(const http::ClientOptions& server, const std::string& bearer_token,
                                          const CertificateWish& wish, std::chrono::seconds limit);

}  // namespace stead::app
