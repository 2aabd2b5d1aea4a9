#include "app/single_machine.h"

#include <fmt/format.h>

#include "app/cluster_facts.h"
#include "app/machine_part.h"
#include "app/node_address.h"
#include "app/server_part.h"
#include "app/simulated_nodes.h"

namespace stead::app {
namespace {

constexpr uint16_t kApiServicePort = 443;

}  // namespace

struct SingleMachine::Parts {
  cli::UpOptions options;
  std::string node_name;
  std::string node_ip;
  std::vector<SimulatedNodePlace> places;  // empty: the machine itself is the node
  ClusterNodeGateway gateway;
  std::unique_ptr<ServerPart> server;
  std::unique_ptr<LocalApiAccess> access;
  // Those that live on the server go first.
  std::unique_ptr<MachinePart> machine;
  std::unique_ptr<SimulatedNodes> simulated;

  // Who the node is, or who the nodes are.
  Result<void> find_place() {
    if (options.runtime == "simulated") {
      STEAD_TRY(found, place_simulated_nodes(options.simulated_nodes, options.node_name, options.pod_cidr,
                                             options.service_cidr));
      places = std::move(found);
      node_name = places.front().name;
      node_ip = places.front().address;
      return {};
    }
    node_name = options.node_name.empty() ? host_name() : options.node_name;
    STEAD_TRY(address, choose_node_address(options.node_ip));
    node_ip = address;
    return check_ranges(options.pod_cidr, options.service_cidr, node_ip, {});
  }

  void start_simulated_nodes(const cli::DataDir& data_dir) {
    node::NodeOptions common;
    common.data_dir = data_dir.root();
    common.cluster_dns = server->dns_address();
    common.cluster_domain = options.cluster_domain;
    simulated = std::make_unique<SimulatedNodes>(server->plane().api(), gateway, places, common);
  }

  Result<MachineOptions> machine_options() const {
    STEAD_TRY(addresses, ServiceAddresses::of(options.service_cidr));
    MachineOptions made;
    made.node_name = node_name;
    made.node_ip = node_ip;
    made.pod_cidr = options.pod_cidr;
    made.service_cidr = options.service_cidr;
    made.cluster_domain = options.cluster_domain;
    made.pod_network = network::pod_network_mode(options.pod_network);
    made.api_address = addresses.api;
    made.dns_address = addresses.dns;
    made.serves_api = true;
    made.ingress = options.ingress;
    made.containerd_socket = options.containerd_socket;
    return made;
  }
};

SingleMachine::SingleMachine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SingleMachine::~SingleMachine() = default;

Result<std::unique_ptr<SingleMachine>> SingleMachine::start(const cli::UpOptions& options,
                                                            const cli::DataDir& data_dir) {
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  STEAD_TRY_VOID(parts->find_place());
  bool simulated = !parts->places.empty();
  if (!simulated) {
    STEAD_TRY(machine_options, parts->machine_options());
    STEAD_TRY(machine, MachinePart::begin(std::move(machine_options), data_dir));
    parts->machine = std::move(machine);
  }
  parts->gateway.set(parts->node_name, nullptr);
  for (const SimulatedNodePlace& place : parts->places) parts->gateway.set(place.name, nullptr);
  ServerPart::Options server_options;
  server_options.cluster = options;
  server_options.node_name = parts->node_name;
  server_options.node_ip = parts->node_ip;
  // The kubeconfig holds wherever the machine is carried.
  server_options.own_address = "127.0.0.1";
  server_options.many_nodes = !simulated;
  server_options.ingress_class = !simulated && options.ingress.any();
  STEAD_TRY(server, ServerPart::start(server_options, data_dir, parts->gateway));
  parts->server = std::move(server);
  ControlPlane& plane = parts->server->plane();
  if (!simulated) STEAD_TRY_VOID(plane.listen(parts->server->api_address(), kApiServicePort));
  parts->server->start_controllers();
  if (simulated) {
    parts->start_simulated_nodes(data_dir);
  } else {
    parts->access = std::make_unique<LocalApiAccess>(plane.api());
    const Credentials& credentials = parts->server->credentials();
    parts->machine->serve_kubelet(
        {credentials.server.certificate_pem, credentials.server.key_pem, credentials.ca.certificate_pem});
    STEAD_TRY_VOID(parts->machine->run(*parts->access, &parts->gateway));
  }
  return std::unique_ptr<SingleMachine>(new SingleMachine(std::move(parts)));
}

bool SingleMachine::wait_ready(std::chrono::seconds limit) {
  std::vector<std::string> names = {parts_->node_name};
  for (const SimulatedNodePlace& place : parts_->places) names.push_back(place.name);
  bool ready = true;
  auto end = std::chrono::steady_clock::now() + limit;
  for (const std::string& name : names) {
    auto left = std::chrono::duration_cast<std::chrono::seconds>(end - std::chrono::steady_clock::now());
    ready = ready && parts_->server->control().wait_node_ready(name, left);
  }
  parts_->server->plane().set_ready(ready);
  return ready;
}

std::string SingleMachine::url() const { return parts_->server->url(); }
std::string SingleMachine::node_name() const { return parts_->node_name; }

}  // namespace stead::app
