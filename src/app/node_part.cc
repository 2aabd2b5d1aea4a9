#include "app/node_part.h"

#include <fmt/format.h>

#include <future>

namespace stead::app {
namespace {

// Bounds what blocks at once: CRI calls, probes, volume work.
constexpr size_t kThreadsMax = 48;

}  // namespace

void LocalNodeGateway::set(const std::string& name, node::Node* node) {
  std::lock_guard lock(mutex_);
  if (node != nullptr) {
    nodes_[name] = node;
  } else {
    nodes_.erase(name);
  }
}

void LocalNodeGateway::forward(const std::string& node, const http::ExchangePtr& exchange, const std::string& target) {
  std::lock_guard lock(mutex_);
  auto found = nodes_.find(node);
  if (found == nodes_.end()) {
    exchange->respond(http::Response::text(503, fmt::format("node \"{}\" cannot be reached", node)));
    return;
  }
  found->second->handle(exchange, target);
}

NodePart::NodePart(apiserver::ApiServer& api, LocalNodeGateway& gateway,
                   std::unique_ptr<node::ContainerRuntime> runtime, const node::NodeOptions& options)
    : gateway_(gateway),
      node_name_(options.node_name),
      runtime_(std::move(runtime)),
      files_(node::make_disk_files(options.data_dir)),
      dialer_(node::make_network_dialer()),
      transport_(api.transport({"system:node:" + options.node_name, "", {"system:nodes", "system:masters"}}, loop_)),
      pool_(loop::make_worker_pool("node", kThreadsMax)),
      node_(std::make_unique<node::Node>(*transport_, loop_, *pool_, *runtime_, *files_, *dialer_, options)) {
  loop_.post([this] { node_->start(); });
  loop_.start_thread("node");
  gateway_.set(options.node_name, node_.get());
}

NodePart::~NodePart() {
  gateway_.set(node_name_, nullptr);
  std::promise<void> ended;
  loop_.post([this, &ended] {
    node_.reset();
    ended.set_value();
  });
  ended.get_future().wait();
  // After the node, which refers to it; what still runs posts to a loop that only drops it.
  pool_.reset();
  loop_.stop();
  loop_.join();
}

}  // namespace stead::app
