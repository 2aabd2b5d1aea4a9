#include "app/network_part.h"

#include <filesystem>
#include <future>

#include "loop/asio_loop.h"
#include "network/dns/dns_server.h"
#include "network/ingress/ingress_controller.h"
#include "network/pod_network/masquerade.h"
#include "network/pod_network/node_link.h"
#include "network/pod_network/node_routes.h"
#include "network/pod_network/peer_routes_adapter.h"
#include "network/service_proxy/kernel_adapter.h"
#include "network/service_proxy/service_proxy.h"

namespace stead::app {
namespace {

std::vector<std::string> held_addresses(const NetworkPartOptions& options) {
  std::vector<std::string> held = {options.dns_address};
  if (!options.api_address.empty()) held.push_back(options.api_address);
  return held;
}

network::dns::DnsOptions dns_options(const NetworkPartOptions& options) {
  network::dns::DnsOptions dns;
  dns.addresses = {options.dns_address};
  dns.domain = options.cluster_domain;
  dns.cidrs = {options.pod_cidr, options.service_cidr};
  dns.upstreams = options.resolvers;
  return dns;
}

std::string ingress_directory(const std::string& data_dir) { return data_dir + "/ingress"; }

}  // namespace

Result<void> prepare_network(const NetworkPartOptions& options, const cli::DataDir& data_dir) {
  network::NodeLinkOptions link;
  link.addresses = held_addresses(options);
  link.service_cidrs = {options.service_cidr};
  link.pod_cidrs = {options.pod_cidr};
  link.source = options.node_ip;
  link.state_path = data_dir.path("network-state");
  // For `stead down`, which is not told the range.
  STEAD_TRY_VOID(cli::write_file(data_dir.path("pod-cidr"), options.pod_cidr, 0600));
  STEAD_TRY_VOID(network::ensure_node_link(link));
  STEAD_TRY_VOID(network::enable_loopback_node_ports(data_dir.path("loopback-state")));
  return network::ensure_masquerade({{options.pod_cidr}, {options.service_cidr}});
}

std::vector<Error> remove_network(const cli::DataDir& data_dir) {
  std::vector<Error> errors;
  auto keep = [&errors](const Result<void>& result) {
    if (!result.ok()) errors.push_back(result.error());
  };
  network::NodeLinkOptions link;
  Result<std::string> pod_cidr = cli::read_file(data_dir.path("pod-cidr"));
  if (pod_cidr.ok()) link.pod_cidrs = {*pod_cidr};
  link.state_path = data_dir.path("network-state");
  keep(network::ingress::stop_ingress(ingress_directory(data_dir.root())));
  keep(network::remove_service_rules(data_dir.path("loopback-state")));
  keep(network::remove_node_link(link));
  keep(network::remove_peer_routes());
  keep(network::remove_masquerade());
  return errors;
}

struct NetworkPart::State {
  loop::AsioLoop loop;
  std::unique_ptr<loop::WorkerPool> pool = loop::make_worker_pool("nftables", 1);
  std::unique_ptr<client::ApiTransport> dns_transport;
  std::unique_ptr<client::ApiTransport> proxy_transport;
  std::unique_ptr<loop::WorkerPool> route_pool = loop::make_worker_pool("routes", 1);
  std::unique_ptr<network::dns::DnsServer> dns;
  std::unique_ptr<network::ServiceProxy> proxy;
  std::unique_ptr<network::NodeRoutes> routes;
  std::unique_ptr<loop::WorkerPool> ingress_pool = loop::make_worker_pool("ingress", 1);
  std::unique_ptr<client::ApiTransport> ingress_transport;
  std::unique_ptr<network::ingress::IngressController> ingress;
  bool running = false;

  ~State() {
    std::promise<void> ended;
    auto end = [&] {
      routes.reset();
      ingress.reset();
      proxy.reset();
      dns.reset();
      ended.set_value();
    };
    if (running) {
      loop.post(end);
    } else {
      end();
    }
    ended.get_future().wait();
    pool.reset();
    route_pool.reset();
    ingress_pool.reset();
    loop.stop();
    loop.join();
  }

  void start_ingress(ApiAccess& access, const NetworkPartOptions& options, const std::string& directory) {
    ingress_transport = access.transport({"system:stead-ingress", "", {"system:masters"}}, loop);
    auto balancer = network::ingress::make_haproxy_adapter(
        loop, directory, {options.node_ip, options.ingress.http, options.ingress.https, {}});
    ingress = std::make_unique<network::ingress::IngressController>(*ingress_transport, loop, *ingress_pool,
                                                                    std::move(balancer), options.node_ip);
    ingress->start();
  }
};

NetworkPart::NetworkPart(std::unique_ptr<State> state) : state_(std::move(state)) {}
NetworkPart::~NetworkPart() = default;

Result<std::unique_ptr<NetworkPart>> NetworkPart::start(ApiAccess& access, const NetworkPartOptions& options,
                                                        const std::string& data_dir) {
  auto state = std::make_unique<State>();
  state->dns_transport = access.transport({"system:kube-dns", "", {"system:masters"}}, state->loop);
  state->dns = std::make_unique<network::dns::DnsServer>(*state->dns_transport, state->loop, dns_options(options));
  STEAD_TRY_VOID(state->dns->start());
  state->proxy_transport = access.transport({"system:kube-proxy", "", {"system:masters"}}, state->loop);
  state->proxy = std::make_unique<network::ServiceProxy>(
      *state->proxy_transport, state->loop, *state->pool, network::service_proxy::make_kernel_adapter(),
      network::ServiceProxyOptions{
          options.node_name, {options.pod_cidr}, {options.service_cidr}, held_addresses(options)});
  STEAD_TRY_VOID(state->proxy->start());
  state->routes = std::make_unique<network::NodeRoutes>(*state->proxy_transport, state->loop, *state->route_pool,
                                                        options.node_name, options.pod_network);
  state->routes->start();
  if (options.ingress.any()) {
    state->start_ingress(access, options, ingress_directory(data_dir));
  } else if (std::filesystem::exists(ingress_directory(data_dir))) {
    // Of a run before that had ports for it.
    STEAD_TRY_VOID(network::ingress::stop_ingress(ingress_directory(data_dir)));
  }
  state->loop.start_thread("network");
  state->running = true;
  return std::unique_ptr<NetworkPart>(new NetworkPart(std::move(state)));
}

}  // namespace stead::app
