#pragma once

// The way to the API for the parts of one machine: in this process where the server runs here, else over HTTPS with the
// node's certificate.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apiserver/api_server.h"
#include "client/https_transport.h"
#include "loop/asio_loop.h"

namespace stead::app {

class ApiAccess {
 public:
  virtual ~ApiAccess() = default;
  // A transport for one part, which lives on `loop`. `identity` is who the part is; over HTTPS the certificate says
  // that instead. Destroyed on the loop's thread or after it stopped, and before this object.
  virtual std::unique_ptr<client::ApiTransport> transport(const client::Identity& identity, loop::AsioLoop& loop) = 0;
};

class LocalApiAccess final : public ApiAccess {
 public:
  explicit LocalApiAccess(apiserver::ApiServer& api) : api_(api) {}
  std::unique_ptr<client::ApiTransport> transport(const client::Identity& identity, loop::AsioLoop& loop) override {
    return api_.transport(identity, loop);
  }

 private:
  apiserver::ApiServer& api_;
};

// Any thread.
class RemoteApiAccess final : public ApiAccess {
 public:
  explicit RemoteApiAccess(client::HttpsTransportOptions options) : options_(std::move(options)) {}
  std::unique_ptr<client::ApiTransport> transport(const client::Identity& identity, loop::AsioLoop& loop) override;
  // A renewed certificate, for every transport given out and to come.
  void use_tls(const http::TlsContext& tls);

 private:
  class Shared;
  std::mutex mutex_;
  client::HttpsTransportOptions options_;
  std::vector<std::weak_ptr<client::HttpsTransport>> given_;
};

}  // namespace stead::app
