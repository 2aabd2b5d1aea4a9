#include "network/service_proxy/service_proxy.h"

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "client/informer.h"
#include "loop/loop.h"
#include "network/service_proxy/kernel_adapter.h"
#include "network/service_proxy/rule_frame.h"

namespace stead::network {
namespace {

using service_proxy::Change;

constexpr Duration kRetryFirst = std::chrono::milliseconds(100);
constexpr Duration kRetryMax = std::chrono::seconds(30);

}  // namespace

//   idle ──change──▶ posted ──▶ applying (on the pool) ──ok──▶ idle, or posted again if more has changed
//                      ▲            └──error──▶ waiting ──back-off──┐ all anew
//                      └────────────────────────────────────────────┘
struct ServiceProxy::State : std::enable_shared_from_this<State> {
  State(client::ApiTransport& transport, loop::Loop& the_loop, loop::WorkerPool& the_pool,
        std::shared_ptr<service_proxy::KernelAdapter> the_kernel, ServiceProxyOptions the_options)
      : loop(the_loop),
        pool(the_pool),
        kernel(std::move(the_kernel)),
        options(std::move(the_options)),
        services(transport, loop, {"", "services"}),
        slices(transport, loop, {"discovery.k8s.io", "endpointslices"}) {}

  loop::Loop& loop;
  loop::WorkerPool& pool;
  const std::shared_ptr<service_proxy::KernelAdapter> kernel;
  const ServiceProxyOptions options;
  std::optional<service_proxy::ServiceTable> table;
  client::Informer services;
  client::Informer slices;
  enum class Phase : uint8_t { kIdle, kPosted, kApplying, kWaiting } phase = Phase::kIdle;
  bool changed = false;
  Duration retry_delay = kRetryFirst;

  bool synced() const { return services.synced() && slices.synced(); }

  void follow() {
    services.on_change([this](const auto& before, const auto& after) {
      table->apply_service(before, after);
      note_change();
    });
    slices.on_change([this](const auto& before, const auto& after) {
      table->apply_endpoint_slice(before, after);
      note_change();
    });
    services.when_synced([this] { note_change(); });
    slices.when_synced([this] { note_change(); });
    services.start();
    slices.start();
  }

  // Changes that come together, or while others are applied, make one transaction.
  void note_change() {
    changed = true;
    if (phase != Phase::kIdle || !synced()) return;
    phase = Phase::kPosted;
    loop.post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->apply();
    });
  }

  void apply() {
    changed = false;
    Change change = table->take_change();
    if (change.empty()) {
      phase = Phase::kIdle;
      return;
    }
    phase = Phase::kApplying;
    pool.run([weak = weak_from_this(), &the_loop = loop, target = kernel, change = std::move(change)] {
      Result<void> result = target->apply(change);
      the_loop.post([weak, result = std::move(result)] {
        if (auto self = weak.lock()) self->finish(result);
      });
    });
  }

  void finish(const Result<void>& result) {
    if (result.ok()) {
      retry_delay = kRetryFirst;
      phase = Phase::kIdle;
      if (changed) note_change();
      return;
    }
    log::warning("services", "{}; all rules anew in {} ms", result.error().message, retry_delay.count() / 1000);
    table->forget();
    phase = Phase::kWaiting;
    loop.call_after(retry_delay, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->apply();
    });
    retry_delay = std::min(retry_delay * 2, kRetryMax);
  }
};

ServiceProxy::ServiceProxy(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool,
                           std::shared_ptr<service_proxy::KernelAdapter> kernel, ServiceProxyOptions options)
    : state_(std::make_shared<State>(transport, loop, pool, std::move(kernel), std::move(options))) {}

ServiceProxy::~ServiceProxy() = default;

Result<void> ServiceProxy::start() {
  const ServiceProxyOptions& options = state_->options;
  STEAD_TRY(frame, service_proxy::rule_frame({options.pod_cidrs, options.service_cidrs, options.own_addresses}));
  state_->table.emplace(service_proxy::TableOptions{options.node_name, options.own_addresses}, std::move(frame));
  state_->follow();
  return {};
}

bool ServiceProxy::settled() const {
  return state_->synced() && state_->phase == State::Phase::kIdle && !state_->changed;
}

}  // namespace stead::network
