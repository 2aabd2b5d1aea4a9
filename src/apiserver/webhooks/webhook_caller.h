#pragma once

// The way from the API to webhooks. The app makes the real one; without one no webhook can be reached.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::apiserver {

// Where a call goes, resolved.
struct HttpsTarget {
  std::string host;  // what to connect to: an address or a name
  uint16_t port = 443;
  std::string server_name;  // whom the certificate must be for
  std::string path;         // "/path?query"
  std::string ca_pem;       // empty: those that the system trusts
};

class WebhookCaller {
 public:
  using Done = std::function<void(Result<std::string> body)>;

  virtual ~WebhookCaller() = default;
  // POSTs JSON; `done` runs exactly once on the API's loop, later, with the body of an answer of 200, unless the caller
  // is destroyed first. kTimeout after `timeout`, kUnavailable, kTooManyRequests where too many calls are in progress.
  virtual void post(const HttpsTarget& target, std::string body, std::chrono::milliseconds timeout, Done done) = 0;
};

// Keeps connections; at most 256 calls at a time. The loop outlives it.
std::unique_ptr<WebhookCaller> make_https_webhook_caller(loop::AsioLoop& loop);

}  // namespace stead::apiserver
