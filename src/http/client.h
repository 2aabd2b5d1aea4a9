#pragma once

// A blocking HTTPS/1.1 client for the command line and tests; not for loops.

#include <chrono>
#include <functional>
#include <string>

#include "base/result.h"
#include "http/http.h"

namespace stead::http {

struct ClientOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  bool tls = true;
  std::string ca_pem;           // empty: the peer is not verified
  std::string certificate_pem;  // client certificate, with its key
  std::string key_pem;
  std::chrono::seconds timeout{30};
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

// One request on a connection of its own. `on_chunk`, where given, gets the body as it comes and may return false
// to end early.
Result<ClientResponse> fetch(const ClientOptions& options, const std::string& method, const std::string& target,
                             const Headers& headers, const std::string& body,
                             const std::function<bool(std::string_view)>& on_chunk = nullptr);

}  // namespace stead::http
