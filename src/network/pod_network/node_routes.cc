#include "network/pod_network/node_routes.h"

#include <algorithm>

#include "base/log.h"
#include "client/informer.h"
#include "network/pod_network/peer_routes_adapter.h"

namespace stead::network {
namespace {

constexpr Duration kRetryFirst = std::chrono::milliseconds(100);
constexpr Duration kRetryMax = std::chrono::seconds(30);

}  // namespace

//   idle ──change──▶ posted ──▶ applying (on the pool) ──ok──▶ idle, or posted again if more has changed
//                      ▲            └──error──▶ waiting ──back-off──┐
//                      └────────────────────────────────────────────┘
struct NodeRoutes::State : std::enable_shared_from_this<State> {
  State(client::ApiTransport& transport, loop::Loop& the_loop, loop::WorkerPool& the_pool, std::string the_name,
        PodNetworkMode the_mode)
      : loop(the_loop),
        pool(the_pool),
        node_name(std::move(the_name)),
        mode(the_mode),
        nodes(transport, loop, {"", "nodes"}) {}

  loop::Loop& loop;
  loop::WorkerPool& pool;
  const std::string node_name;
  const PodNetworkMode mode;
  client::Informer nodes;
  std::optional<PodRoutes> applied;
  bool busy = false;  // posted, applying or waiting
  bool changed = false;
  Duration retry_delay = kRetryFirst;

  void start() {
    nodes.on_change([this](const auto&, const auto&) { note_change(); });
    nodes.when_synced([this] { note_change(); });
    nodes.start();
  }

  void note_change() {
    changed = true;
    if (busy || !nodes.synced()) return;
    busy = true;
    loop.post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->apply();
    });
  }

  void apply() {
    changed = false;
    std::vector<NodePlace> places;
    for (const client::ObjectPtr& node : nodes.list()) places.push_back(node_place(*node));
    PodRoutes wanted = decide_routes(node_name, mode, places, link_addresses());
    if (applied == wanted) {
      busy = false;
      return;
    }
    pool.run([weak = weak_from_this(), &the_loop = loop, wanted] {
      Result<void> result = apply_peer_routes(wanted);
      the_loop.post([weak, wanted, result] {
        if (auto self = weak.lock()) self->finish(wanted, result);
      });
    });
  }

  void finish(const PodRoutes& wanted, const Result<void>& result) {
    if (result.ok()) {
      applied = wanted;
      retry_delay = kRetryFirst;
      busy = false;
      if (changed) note_change();
      return;
    }
    log::warning("pod-network", "routes to other nodes: {}; again in {} ms", result.error().message,
                 std::chrono::duration_cast<std::chrono::milliseconds>(retry_delay).count());
    applied.reset();
    loop.call_after(retry_delay, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->apply();
    });
    retry_delay = std::min(retry_delay * 2, kRetryMax);
  }
};

NodeRoutes::NodeRoutes(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool, std::string node_name,
                       PodNetworkMode mode)
    : state_(std::make_shared<State>(transport, loop, pool, std::move(node_name), mode)) {}

NodeRoutes::~NodeRoutes() = default;

void NodeRoutes::start() { state_->start(); }

}  // namespace stead::network
