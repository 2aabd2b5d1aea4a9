#pragma once

// The way from the API to the servers of aggregated APIs.

#include <functional>
#include <memory>
#include <string>

#include "apiserver/webhooks/webhook_caller.h"
#include "client/transport.h"
#include "http/http.h"

namespace stead::apiserver {

class RemoteApi {
 public:
  virtual ~RemoteApi() = default;
  // Passes the request on in the name of `identity` and its answer back, streamed. 503 where nobody answers. The
  // target's path is not used.
  virtual void forward(const HttpsTarget& target, bool verified, const client::Identity& identity,
                       const http::ExchangePtr& exchange) = 0;
  using Done = std::function<void(Result<std::string> body)>;
  // GET of the target's path as `identity`; `done` runs once, later, unless this is destroyed first.
  virtual void get(const HttpsTarget& target, bool verified, const client::Identity& identity, Done done) = 0;
};

// With the front proxy's client certificate (PEM). The loop, the API's, outlives it.
std::unique_ptr<RemoteApi> make_https_remote_api(loop::AsioLoop& loop, std::string certificate_pem,
                                                 std::string key_pem);

}  // namespace stead::apiserver
