#include "app/node_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "app/node_ready.h"
#include "app/volume_directories.h"
#include "base/log.h"
#include "client/informer.h"

namespace stead::app {
namespace {

// Bounds what blocks at once: CRI calls, probes, volume work.
constexpr size_t kThreadsMax = 48;
constexpr Duration kRangeRetry = std::chrono::seconds(1);

bool may_enter(const http::Request& request) {
  if (!request.peer) return false;
  const auto& groups = request.peer->organizations;
  return request.peer->common_name == kKubeletClient ||
         std::find(groups.begin(), groups.end(), "system:masters") != groups.end();
}

}  // namespace

struct NodePart::Parts {
  Parts(ApiAccess& access, ClusterNodeGateway* the_gateway, std::unique_ptr<node::ContainerRuntime> the_runtime,
        NodePartOptions the_options)
      : options(std::move(the_options)),
        gateway(the_gateway),
        runtime(std::move(the_runtime)),
        files(node::make_disk_files(options.node.data_dir)),
        dialer(node::make_network_dialer()),
        transport(access.transport(
            {"system:node:" + options.node.node_name, "", {"system:nodes", "system:authenticated"}}, loop)),
        pool(loop::make_worker_pool("node", kThreadsMax)),
        node(std::make_unique<node::Node>(*transport, loop, *pool, *runtime, *files, *dialer, options.node)),
        self(std::make_unique<client::Informer>(*transport, loop, client::ResourceRef{"", "nodes"},
                                                "metadata.name=" + options.node.node_name)) {}

  const NodePartOptions options;
  ClusterNodeGateway* const gateway;
  loop::AsioLoop loop;
  loop::AsioLoop kubelet_loop;
  std::unique_ptr<node::ContainerRuntime> runtime;
  std::unique_ptr<node::NodeFiles> files;
  std::unique_ptr<node::Dialer> dialer;
  std::unique_ptr<client::ApiTransport> transport;
  // The pool goes first: its work uses all of the above, and the node.
  std::unique_ptr<loop::WorkerPool> pool;
  std::unique_ptr<node::Node> node;
  std::unique_ptr<client::Informer> self;  // the Node object
  std::unique_ptr<http::Server> kubelet;
  std::string range;  // in use, or being put to use
  const WallTime begun = loop.wall_now();
  std::promise<void> ready;
  bool ready_told = false;

  // Loop thread.
  void start() {
    node->start();
    self->on_change([this](const client::ObjectPtr&, const client::ObjectPtr& after) {
      if (!after) return;
      std::string told(after->spec().at("podCIDR").as_string());
      if (!told.empty() && told != range && options.use_pod_range) use_range(told);
      if (is_ready_since(*after, begun) && !std::exchange(ready_told, true)) ready.set_value();
    });
    self->start();
  }

  void use_range(const std::string& told) {
    range = told;
    pool->run([this, told] {
      Result<void> used = options.use_pod_range(told);
      loop.post([this, told, used] {
        if (!node || range != told) return;
        if (used.ok()) return node->refresh();
        log::error("node", "the pod range {} cannot be used: {}", told, used.error().message);
        loop.call_after(kRangeRetry, [this, told] {
          if (node && range == told) use_range(told);
        });
      });
    });
  }

  // On the kubelet's loop, or before it runs.
  Result<void> serve_kubelet(const http::TlsFiles& tls) {
    if (tls.certificate_pem.empty()) return {};
    if (kubelet) return kubelet->use_tls(tls);
    http::ServerOptions server;
    server.address = options.node.node_ip;
    server.port = options.node.kubelet_port;
    server.tls = tls;
    STEAD_TRY(made, http::make_server(kubelet_loop, std::move(server), [this](const http::ExchangePtr& exchange) {
                if (!may_enter(exchange->request())) {
                  return exchange->respond(http::Response::text(exchange->request().peer ? 403 : 401,
                                                                "only the API server may use the kubelet's paths\n"));
                }
                if (exchange->request().path.starts_with(kVolumesPath)) {
                  return serve_volume(exchange, options.node.data_dir + "/volumes", *pool);
                }
                node->handle(exchange, exchange->request().target);
              }));
    kubelet = std::move(made);
    return {};
  }

  // Runs `task` on the loop and waits for it.
  static void on(loop::AsioLoop& loop, const std::function<void()>& task) {
    std::promise<void> done;
    loop.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  void end() {
    if (gateway != nullptr) gateway->set(options.node.node_name, nullptr);
    // Requests stop coming before the node goes.
    on(kubelet_loop, [this] { kubelet.reset(); });
    kubelet_loop.stop();
    kubelet_loop.join();
    on(loop, [this] {
      self.reset();
      node.reset();
    });
    // After the node, which refers to it; what still runs posts to a loop that only drops it.
    pool.reset();
    loop.stop();
    loop.join();
  }
};

NodePart::NodePart(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<NodePart>> NodePart::start(ApiAccess& access, ClusterNodeGateway* gateway,
                                                  std::unique_ptr<node::ContainerRuntime> runtime,
                                                  NodePartOptions options) {
  auto parts = std::make_unique<Parts>(access, gateway, std::move(runtime), std::move(options));
  STEAD_TRY_VOID(parts->serve_kubelet(parts->options.kubelet_tls));
  Parts& running = *parts;
  running.kubelet_loop.start_thread("kubelet");
  running.loop.post([&running] { running.start(); });
  running.loop.start_thread("node");
  if (gateway != nullptr) gateway->set(running.options.node.node_name, running.node.get());
  return std::unique_ptr<NodePart>(new NodePart(std::move(parts)));
}

NodePart::~NodePart() { parts_->end(); }

bool NodePart::wait_ready(std::chrono::seconds limit) {
  return parts_->ready.get_future().wait_for(limit) == std::future_status::ready;
}

void NodePart::use_kubelet_tls(const http::TlsFiles& tls) {
  parts_->kubelet_loop.post([parts = parts_.get(), tls] {
    Result<void> used = parts->serve_kubelet(tls);
    if (!used.ok()) log::error("node", "the kubelet's port: {}", used.error().message);
  });
}

}  // namespace stead::app
