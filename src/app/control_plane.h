#pragma once

// Store, cache, API server and its HTTPS front end, joined. The API's loop is a thread of its own; everything else
// reaches it through transports.

#include <atomic>
#include <memory>
#include <string>

#include "apiserver/api_server.h"
#include "app/credentials.h"
#include "cli/command_line.h"
#include "http/server.h"
#include "loop/asio_loop.h"
#include "store/sealed/sealed_store.h"

namespace stead::app {

class ControlPlane {
 public:
  struct Options {
    std::string data_dir;
    std::string bind;
    uint16_t port = 0;
    std::string service_cidr;
    std::chrono::seconds pod_eviction_timeout{300};
    std::string cluster_domain;
    std::vector<store::SealingKey> encryption_keys;  // of Secrets at rest
    cli::AuditOptions audit;
  };

  // Opens the store and serves the API. `nodes` outlives this.
  static Result<std::unique_ptr<ControlPlane>> start(const Options& options, const Credentials& credentials,
                                                     apiserver::NodeGateway& nodes);
  // Ends watches and connections, then the store.
  ~ControlPlane();

  apiserver::ApiServer& api() { return *api_; }
  loop::AsioLoop& loop() { return loop_; }
  uint16_t port() const { return port_; }
  // What /readyz says. Any thread.
  void set_ready(bool ready) { ready_ = ready; }
  // Serves the API on a further address too. Any thread but the API's; waits for the answer.
  Result<void> listen(const std::string& address, uint16_t port);

 private:
  ControlPlane() = default;
  void schedule_compaction();

  std::atomic<bool> ready_ = false;
  uint16_t port_ = 0;
  std::unique_ptr<store::Store> store_;
  loop::AsioLoop loop_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<apiserver::WebhookCaller> webhooks_;
  std::unique_ptr<apiserver::RemoteApi> remote_;
  std::unique_ptr<apiserver::ApiServer> api_;
  std::unique_ptr<http::Server> http_;
  int64_t compact_to_ = 0;
};

}  // namespace stead::app
