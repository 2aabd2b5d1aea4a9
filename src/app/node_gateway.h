#pragma once

// The API server's way to nodes: into this process for nodes that run here, else to the HTTPS port that the Node object
// names, with the server's client certificate.

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "apiserver/api_server.h"
#include "node/node.h"

namespace stead::app {

class ClusterNodeGateway final : public apiserver::NodeGateway {
 public:
  // A node of this process; null: it is not there yet, or gone, or about to be. Any thread.
  void set(const std::string& name, node::Node* node);
  // From now on nodes elsewhere are reached; `cache` outlives the last forward(). Any thread.
  void reach_others(const cache::Cache& cache, http::TlsContext client_tls);
  // Whether it is a node of this process. Any thread.
  bool is_here(const std::string& name) const;
  // The kubelet's port of a node elsewhere, to be spoken to with the server's certificate; nullopt: it has told none,
  // or nodes elsewhere are not reached. Any thread.
  std::optional<http::Upstream> kubelet_of(const object::Object& node) const;
  void forward(const std::string& node, const http::ExchangePtr& exchange, const std::string& target) override;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, node::Node*> nodes_;  // of this process, null while they are not there
  const cache::Cache* cache_ = nullptr;
  http::TlsContext client_tls_;
};

}  // namespace stead::app
