#include "node/server/kubelet_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "node/pods/pod_worker.h"
#include "node/server/log_policy.h"
#include "node/server/refusal.h"
#include "node/server/remote_command.h"
#include "node/server/stats_summary.h"
#include "node/server/stream_tunnel.h"
#include "node/server/stream_url.h"
#include "node/server/usage_metrics.h"
#include "object/codec.h"

namespace stead::node {
namespace {

using Kind = KubeletTarget::Kind;

// On any thread.
void respond(const http::ExchangePtr& exchange, http::Response response) {
  http::Exchange& on = *exchange;
  on.post([exchange, response = std::move(response)] { exchange->respond(response); });
}

// The request for the runtime's streaming server when we speak SPDY to it ourselves.
http::Request spdy_request(const char* protocol) {
  http::Request request;
  request.method = "POST";
  request.headers = {{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}, {"X-Stream-Protocol-Version", protocol}};
  return request;
}

void connect_tunnel(const http::ExchangePtr& exchange, const StreamUrl& url) {
  exchange->join(spdy_request("portforward.k8s.io"), {url.host, url.port, nullptr}, url.target,
                 http::websocket_answer(exchange->request(), kTunnelProtocol),
                 [](http::ByteStreamPtr client, http::ByteStreamPtr upstream) {
                   std::make_shared<StreamTunnel>(std::move(client), std::move(upstream))->begin();
                 });
}

// On the exchange's loop. Clients that speak SPDY, or a port-forward's WebSocket, are understood by the runtime.
void connect(const http::ExchangePtr& exchange, const KubeletTarget& target, const StreamUrl& url) {
  const http::Request& request = exchange->request();
  std::vector<std::string> offered = http::websocket_protocols(request);
  bool tunnel = std::find(offered.begin(), offered.end(), kTunnelProtocol) != offered.end();
  if (!http::asks_for_websocket(request) || (target.kind == Kind::kPortForward && !tunnel)) {
    return exchange->relay({url.host, url.port, nullptr}, url.target);
  }
  if (target.kind == Kind::kPortForward) return connect_tunnel(exchange, url);
  auto protocol = choose_channel_protocol(offered);
  if (!protocol) {
    return exchange->respond(http::Response::text(403, "none of the WebSocket subprotocols offered is spoken here\n"));
  }
  exchange->join(spdy_request("v4.channel.k8s.io"), {url.host, url.port, nullptr}, url.target,
                 http::websocket_answer(request, protocol->name),
                 [protocol = *protocol, target](http::ByteStreamPtr client, http::ByteStreamPtr upstream) {
                   std::make_shared<RemoteCommand>(protocol, target, std::move(client), std::move(upstream))->begin();
                 });
}

// Blocks.
Result<StreamUrl> stream_url(ContainerRuntime& runtime, const KubeletTarget& target, const std::string& id) {
  Result<std::string> url = [&] {
    switch (target.kind) {
      case Kind::kExec:
        return runtime.exec_url(id, target.command, target.tty, target.input, target.output, target.error);
      case Kind::kAttach:
        return runtime.attach_url(id, target.tty, target.input, target.output, target.error);
      default:
        return runtime.port_forward_url(id, target.ports);
    }
  }();
  if (!url.ok()) return url.error();
  return parse_stream_url(*url);
}

http::Response usage_response(Kind kind, const std::string& node, const std::vector<ContainerUsage>& usages,
                              WallTime now) {
  if (kind == Kind::kStats) {
    return http::Response::text(200, object::to_json(stats_summary(node, usages, now)), "application/json");
  }
  std::string text = kind == Kind::kMetrics           ? kubelet_metrics(node, usages)
                     : kind == Kind::kResourceMetrics ? resource_metrics(usages, now)
                                                      : container_metrics(usages, now);
  return http::Response::text(200, std::move(text), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace

KubeletServer::KubeletServer(const NodeContext& context, const PodDirectory& pods)
    : context_(context), pods_(pods), scope_(std::make_shared<StreamScope>(context.pool, context.runtime)) {}

KubeletServer::~KubeletServer() {
  scope_->close();
  container_changed("");
}

void KubeletServer::serve(const http::ExchangePtr& exchange, const KubeletTarget& target) {
  auto begun = begin(exchange, target);
  if (!begun.ok()) respond(exchange, refusal(begun.error()));
}

Result<void> KubeletServer::begin(const http::ExchangePtr& exchange, const KubeletTarget& target) {
  if (target.kind == Kind::kHealth) {
    respond(exchange, http::Response::text(200, "ok"));
    return {};
  }
  if (target.kind == Kind::kStats || target.kind == Kind::kMetrics || target.kind == Kind::kResourceMetrics ||
      target.kind == Kind::kContainerMetrics) {
    answer_usage(exchange, target.kind);
    return {};
  }
  const PodWorker* pod = pods_.find_pod(target.ns, target.pod);
  if (pod == nullptr) {
    return make_error(Reason::kNotFound, target.kind == Kind::kLogs
                                             ? fmt::format("pod \"{}\" does not exist", target.pod)
                                             : std::string("pod does not exist"));
  }
  return target.kind == Kind::kLogs ? begin_logs(exchange, target, *pod) : begin_relay(exchange, target, *pod);
}

Result<void> KubeletServer::begin_logs(const http::ExchangePtr& exchange, const KubeletTarget& target,
                                       const PodWorker& pod) {
  const ContainerRunner* runner = pod.runner(target.container);
  if (runner == nullptr) {
    return make_error(Reason::kBadRequest,
                      fmt::format("container \"{}\" in pod \"{}\" is not available", target.container, target.pod));
  }
  std::string usual = pod.shape().has_init_containers() ? "PodInitializing" : "ContainerCreating";
  STEAD_TRY(source,
            choose_log(runner->report(), runner->attempt(), target.logs.previous, target.container, target.pod, usual));
  source.directory = pod.paths().log_directory + "/" + target.container;
  std::string container_id = source.container_id;
  auto stream = std::make_shared<LogStream>(exchange, scope_, std::move(source), target.logs);
  if (target.logs.follow && !container_id.empty()) {
    std::erase_if(followers_, [](const auto& follower) { return follower.second.expired(); });
    followers_.emplace(container_id, stream);
  }
  exchange->post([stream] { stream->begin(refusal); });
  return {};
}

Result<void> KubeletServer::begin_relay(const http::ExchangePtr& exchange, const KubeletTarget& target,
                                        const PodWorker& pod) {
  std::string id = pod.sandbox_id();
  if (target.kind != Kind::kPortForward) {
    const ContainerRunner* runner = pod.runner(target.container);
    bool runs = false;
    if (runner != nullptr) {
      ContainerPhase phase = runner->observe().phase;
      // A container's postStart hook may take long: it can be entered meanwhile.
      runs = is_alive(phase) && runner->report().current;
      id = runner->id();
    }
    if (!runs || id.empty()) {
      return make_error(Reason::kInternal, fmt::format("container not found (\"{}\")", target.container));
    }
  }
  if (id.empty()) {
    return make_error(Reason::kInternal, fmt::format("pod not found (\"{}_{}({})\")", pod.name(), pod.ns(), pod.uid()));
  }
  context_.pool.run([exchange, target, id, &runtime = context_.runtime] {
    auto url = stream_url(runtime, target, id);
    if (!url.ok()) return respond(exchange, refusal(url.error()));
    http::Exchange& on = *exchange;
    on.post([exchange, target, url = std::move(*url)] { connect(exchange, target, url); });
  });
  return {};
}

void KubeletServer::answer_usage(const http::ExchangePtr& exchange, Kind kind) {
  context_.pool.run(
      [exchange, kind, &runtime = context_.runtime, node = context_.options.node_name, now = context_.loop.wall_now()] {
        auto usages = runtime.container_stats();
        if (!usages.ok()) return respond(exchange, refusal(usages.error()));
        respond(exchange, usage_response(kind, node, *usages, now));
      });
}

void KubeletServer::container_changed(const std::string& container_id) {
  for (const auto& [id, follower] : followers_) {
    if (!container_id.empty() && id != container_id) continue;
    if (auto stream = follower.lock()) stream->container_changed();
  }
}

}  // namespace stead::node
