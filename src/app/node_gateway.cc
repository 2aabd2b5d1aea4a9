#include "app/node_gateway.h"

#include <fmt/format.h>

namespace stead::app {
namespace {

constexpr uint16_t kKubeletPort = 10250;

std::optional<http::Upstream> address_of(const object::Object& node) {
  http::Upstream upstream;
  for (const object::Value& address : node.status().at("addresses").items()) {
    if (address.at("type").as_string() == "InternalIP") upstream.host = address.at("address").as_string();
    if (!upstream.host.empty()) break;
  }
  int64_t port = node.status().at({"daemonEndpoints", "kubeletEndpoint", "Port"}).as_int();
  upstream.port = port > 0 && port < 65536 ? static_cast<uint16_t>(port) : kKubeletPort;
  if (upstream.host.empty()) return std::nullopt;
  return upstream;
}

void unreachable(const http::ExchangePtr& exchange, const std::string& node) {
  exchange->respond(http::Response::text(503, fmt::format("node \"{}\" cannot be reached", node)));
}

}  // namespace

void ClusterNodeGateway::set(const std::string& name, node::Node* node) {
  std::lock_guard lock(mutex_);
  nodes_[name] = node;
}

void ClusterNodeGateway::reach_others(const cache::Cache& cache, http::TlsContext client_tls) {
  std::lock_guard lock(mutex_);
  cache_ = &cache;
  client_tls_ = std::move(client_tls);
}

bool ClusterNodeGateway::is_here(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return nodes_.contains(name);
}

std::optional<http::Upstream> ClusterNodeGateway::kubelet_of(const object::Object& node) const {
  std::lock_guard lock(mutex_);
  if (cache_ == nullptr) return std::nullopt;
  std::optional<http::Upstream> upstream = address_of(node);
  if (upstream) upstream->tls = client_tls_;
  return upstream;
}

void ClusterNodeGateway::forward(const std::string& node, const http::ExchangePtr& exchange,
                                 const std::string& target) {
  const cache::Cache* cache = nullptr;
  {
    std::lock_guard lock(mutex_);
    auto found = nodes_.find(node);
    if (found != nodes_.end() && found->second != nullptr) return found->second->handle(exchange, target);
    if (found != nodes_.end()) return unreachable(exchange, node);
    cache = cache_;
  }
  object::ObjectPtr object = cache != nullptr ? cache->get("/nodes", node) : nullptr;
  std::optional<http::Upstream> upstream = object ? kubelet_of(*object) : std::nullopt;
  if (!upstream) return unreachable(exchange, node);
  exchange->relay(*upstream, target);
}

}  // namespace stead::app
