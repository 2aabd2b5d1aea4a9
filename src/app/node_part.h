#pragma once

// The node part of this machine on its own loop and thread, with its container runtime, joined; and the API server's
// way to it.

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "apiserver/api_server.h"
#include "loop/asio_loop.h"
#include "node/node.h"

namespace stead::app {

// Forwards to the nodes of this process; 503 for others.
class LocalNodeGateway final : public apiserver::NodeGateway {
 public:
  // Null: the node is gone, or about to be. Any thread.
  void set(const std::string& name, node::Node* node);
  void forward(const std::string& node, const http::ExchangePtr& exchange, const std::string& target) override;

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, node::Node*> nodes_;
};

class NodePart {
 public:
  // `api` and `gateway` outlive this.
  NodePart(apiserver::ApiServer& api, LocalNodeGateway& gateway, std::unique_ptr<node::ContainerRuntime> runtime,
           const node::NodeOptions& options);
  // Ends watching; pods live on.
  ~NodePart();

 private:
  LocalNodeGateway& gateway_;
  const std::string node_name_;
  loop::AsioLoop loop_;
  std::unique_ptr<node::ContainerRuntime> runtime_;
  std::unique_ptr<node::NodeFiles> files_;
  std::unique_ptr<node::Dialer> dialer_;
  std::unique_ptr<client::ApiTransport> transport_;
  // The pool goes first: its work uses all of the above, and the node.
  std::unique_ptr<loop::WorkerPool> pool_;
  std::unique_ptr<node::Node> node_;
};

}  // namespace stead::app
