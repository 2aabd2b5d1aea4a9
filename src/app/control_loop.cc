#include "app/control_loop.h"

#include <future>

#include "app/node_ready.h"
#include "app/rbac_bootstrap.h"
#include "app/volume_directories.h"
#include "base/log.h"
#include "controllers/controllers.h"
#include "scheduler/scheduler.h"

namespace stead::app {
namespace {

constexpr size_t kVolumeThreadsMax = 2;

}  // namespace

struct ControlLoop::Parts {
  Parts(apiserver::ApiServer& api, const ClusterNodeGateway& the_gateway, Options the_options)
      : options(std::move(the_options)),
        gateway(the_gateway),
        transport(api.transport({"system:kube-controller-manager", "", {"system:masters"}}, loop)),
        scheduler_transport(api.transport({"system:kube-scheduler", "", {"system:masters"}}, loop)) {}

  const Options options;
  const ClusterNodeGateway& gateway;
  loop::AsioLoop loop;
  const WallTime begun = loop.wall_now();
  std::unique_ptr<client::ApiTransport> transport;
  std::unique_ptr<client::ApiTransport> scheduler_transport;
  std::unique_ptr<loop::WorkerPool> pool = loop::make_worker_pool("volumes", kVolumeThreadsMax);
  client::InformerSet informers{*transport, loop};
  ClusterVolumeDirectories directories{options.data_dir + "/volumes", loop, *pool, informers.get({"", "nodes"}),
                                       gateway};
  client::EventRecorder scheduler_events{*scheduler_transport, loop, "default-scheduler"};
  controllers::Controllers controllers{*transport, loop, informers, directories, controllers_options()};
  scheduler::Scheduler scheduler{*scheduler_transport, loop, scheduler_events, informers};
  std::promise<void> roles_made;
  const std::shared_future<void> roles = roles_made.get_future().share();
  // Those who wait for a node to become Ready; each is told once.
  std::vector<std::pair<std::string, std::function<void()>>> waiting;
  std::promise<bool> started;

  controllers::ControllersOptions controllers_options() const {
    controllers::ControllersOptions made{controllers::served_resources(kinds::registry()), options.ca_pem,
                                         options.pod_cidr};
    made.control_plane = options.control_plane;
    made.node_lifecycle.grace = options.node_monitor_grace_period;
    made.certificates = options.certificates;
    return made;
  }

  // Loop thread.
  void start() {
    informers.get({"", "nodes"}).on_change([this](const client::ObjectPtr&, const client::ObjectPtr& after) {
      if (!after || !is_ready_since(*after, begun)) return;
      for (auto& [node, tell] : waiting) {
        if (node == after->name() && tell) std::exchange(tell, nullptr)();
      }
    });
    controllers.start();
    scheduler.start();
    informers.start();
  }
};

ControlLoop::ControlLoop(apiserver::ApiServer& api, const ClusterNodeGateway& gateway, Options options)
    : parts_(std::make_unique<Parts>(api, gateway, std::move(options))) {
  Parts& parts = *parts_;
  parts.loop.post([&parts] {
    bootstrap(*parts.transport, parts.options.bootstrap, [&parts](const Result<void>& made) {
      if (!made.ok()) log::error("bootstrap", "{}", made.error().message);
      bootstrap_rbac(*parts.transport, [&parts](const Result<void>& roles) {
        if (!roles.ok()) log::error("bootstrap", "roles: {}", roles.error().message);
        parts.roles_made.set_value();
      });
      parts.start();
      parts.started.set_value(made.ok());
    });
  });
  parts.loop.start_thread("control");
}

ControlLoop::~ControlLoop() {
  parts_->loop.stop();
  parts_->loop.join();
}

bool ControlLoop::wait_started() {
  bool made = parts_->started.get_future().get();
  parts_->roles.wait();
  return made;
}

bool ControlLoop::wait_node_ready(const std::string& node, std::chrono::seconds limit) {
  auto ready = std::make_shared<std::promise<void>>();
  auto future = ready->get_future();
  parts_->loop.post([this, node, ready] {
    client::ObjectPtr known = parts_->informers.get({"", "nodes"}).get(node);
    if (known && is_ready_since(*known, parts_->begun)) return ready->set_value();
    parts_->waiting.emplace_back(node, [ready] { ready->set_value(); });
  });
  auto end = std::chrono::steady_clock::now() + limit;
  // Who is told that the cluster is ready may use its roles.
  return future.wait_until(end) == std::future_status::ready &&
         parts_->roles.wait_until(end) == std::future_status::ready;
}

}  // namespace stead::app
