#include "network/dns/dns_server.h"

#include <map>

#include "client/informer.h"
#include "loop/asio_loop.h"
#include "network/dns/dns_socket.h"

namespace stead::network::dns {

struct DnsServer::State {
  State(client::ApiTransport& transport, loop::AsioLoop& the_loop, DnsOptions the_options)
      : loop(the_loop),
        options(std::move(the_options)),
        services(transport, loop, {"", "services"}),
        slices(transport, loop, {"discovery.k8s.io", "endpointslices"}) {}

  loop::AsioLoop& loop;
  const DnsOptions options;
  client::Informer services;
  client::Informer slices;
  std::shared_ptr<Responder> responder;
  std::shared_ptr<TcpLimits> limits = std::make_shared<TcpLimits>();
  std::map<std::string, std::unique_ptr<DnsSocket>> sockets;
  uint16_t port = 0;

  bool synced() const { return services.synced() && slices.synced(); }

  Result<void> listen(const std::string& address) {
    if (sockets.contains(address)) return {};
    STEAD_TRY(socket, open_dns_socket(loop, address, port, responder, limits));
    port = socket->port();
    sockets.emplace(address, std::move(socket));
    return {};
  }

  void follow() {
    loop.call_after(options.hold_max, [weak = std::weak_ptr(responder)] {
      if (auto held = weak.lock()) held->stop_holding();
    });
    services.on_change(
        [this](const auto& before, const auto& after) { responder->records().apply_service(before, after); });
    slices.on_change(
        [this](const auto& before, const auto& after) { responder->records().apply_endpoint_slice(before, after); });
    auto when_both = [this] {
      if (synced()) responder->set_ready();
    };
    services.when_synced(when_both);
    slices.when_synced(when_both);
    services.start();
    slices.start();
  }
};

DnsServer::DnsServer(client::ApiTransport& transport, loop::AsioLoop& loop, DnsOptions options)
    : state_(std::make_shared<State>(transport, loop, std::move(options))) {}

DnsServer::~DnsServer() = default;

Result<void> DnsServer::start() {
  const DnsOptions& options = state_->options;
  const auto& named = options.name_addresses.empty() ? options.addresses : options.name_addresses;
  STEAD_TRY(index, NameIndex::make({options.domain, options.cidrs, named}));
  STEAD_TRY(forwarder, make_forwarder(state_->loop, options.upstreams));
  state_->responder = std::make_shared<Responder>(std::move(index), std::move(forwarder));
  state_->port = options.port;
  for (const std::string& address : options.addresses) {
    auto listening = state_->listen(address);
    if (!listening.ok()) {
      state_->sockets.clear();
      return listening;
    }
  }
  state_->follow();
  return {};
}

Result<void> DnsServer::listen(const std::string& address) {
  STEAD_CHECK(state_->responder != nullptr, "start() comes first");
  return state_->listen(address);
}

uint16_t DnsServer::port() const { return state_->port; }

bool DnsServer::ready() const { return state_->synced(); }

}  // namespace stead::network::dns
