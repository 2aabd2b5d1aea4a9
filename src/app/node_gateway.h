#pragma once

// The API server's way to nodes: into this process for nodes that run here, else to the HTTPS port that the Node object
// names, with the server's client certificate.

#include <mutex>
#include <string>
#include <unordered_map>

#include "apiserver/api_server.h"
#include "node/node.h"

namespace stead::app {

class ClusterNodeGateway final : public apiserver::NodeGateway {
 public:
  // A node of this process; null: it is gone, or about to be. Any thread.
  void set(const std::string& name, node::Node* node);
  // From now on nodes elsewhere are reached; `cache` outlives the last forward(). Any thread.
  void reach_others(const cache::Cache& cache, http::TlsContext client_tls);
  void forward(const std::string& node, const http::ExchangePtr& exchange, const std::string& target) override;

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, node::Node*> nodes_;
  const cache::Cache* cache_ = nullptr;
  http::TlsContext client_tls_;
};

}  // namespace stead::app
