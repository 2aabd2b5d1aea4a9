#include "app/single_machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <optional>
#include <sstream>

#include "app/control_loop.h"
#include "app/network_part.h"
#include "app/node_address.h"
#include "app/node_part.h"
#include "app/simulated_nodes.h"
#include "base/log.h"
#include "network/dns/forwarder.h"
#include "node/machine.h"
#include "node/runtime/containerd_process.h"
#include "node/runtime/cri_runtime_adapter.h"

namespace stead::app {
namespace {

constexpr uint32_t kApiServiceIndex = 1;
constexpr uint32_t kDnsServiceIndex = 10;
constexpr uint16_t kApiServicePort = 443;

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

// The first /24 of the pod range: with one node there is one part.
std::string first_pod_range(const std::string& pod_cidr) { return pod_cidr.substr(0, pod_cidr.find('/')) + "/24"; }

// Whether anything outside can be reached at all: without a default route, asking resolvers would only time out.
bool has_default_route() {
  std::ifstream routes("/proc/net/route");
  std::string line;
  std::getline(routes, line);
  while (std::getline(routes, line)) {
    std::istringstream fields(line);
    std::string link;
    std::string destination;
    if (fields >> link >> destination && destination == "00000000") return true;
  }
  return false;
}

}  // namespace

struct SingleMachine::Parts {
  cli::UpOptions options;
  std::string node_name;
  std::string node_ip;
  std::string url;
  std::string api_address;
  std::string dns_address;
  Credentials credentials;
  node::ContainerdHandle containerd;
  LocalNodeGateway gateway;
  std::unique_ptr<ControlPlane> plane;
  std::unique_ptr<ControlLoop> control;
  std::unique_ptr<NetworkPart> network;
  std::unique_ptr<NodePart> node;
  std::vector<SimulatedNodePlace> places;  // empty: the machine itself is the node
  std::unique_ptr<SimulatedNodes> simulated;

  ~Parts() {
    simulated.reset();
    node.reset();
    network.reset();
    control.reset();
    plane.reset();
  }

  NetworkPartOptions network_options() const {
    NetworkPartOptions network_options{
        node_name,   node_ip, options.pod_cidr, options.service_cidr, options.cluster_domain, api_address,
        dns_address, {}};
    if (has_default_route()) {
      network_options.resolvers = network::dns::resolvers_of(node::read_machine_resolv_conf(), {dns_address});
    }
    return network_options;
  }

  Result<node::ContainerdHandle> find_containerd(const cli::DataDir& data_dir) const {
    if (!options.containerd_socket.empty()) {
      node::ContainerdHandle handle;
      handle.socket_path = options.containerd_socket;
      return handle;
    }
    node::ContainerdOptions containerd_options;
    containerd_options.data_dir = data_dir.root();
    containerd_options.pod_range = first_pod_range(options.pod_cidr);
    return node::start_or_adopt_containerd(containerd_options);
  }

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
    return {};
  }

  void start_simulated_nodes(const cli::DataDir& data_dir) {
    node::NodeOptions common;
    common.data_dir = data_dir.root();
    common.cluster_dns = dns_address;
    common.cluster_domain = options.cluster_domain;
    simulated = std::make_unique<SimulatedNodes>(plane->api(), gateway, places, common);
  }

  void start_node(const cli::DataDir& data_dir) {
    node::NodeOptions node_options;
    node_options.node_name = node_name;
    node_options.node_ip = node_ip;
    node_options.pod_cidr = first_pod_range(options.pod_cidr);
    node_options.data_dir = data_dir.root();
    node_options.cgroup_parent = containerd.cgroup_parent;
    node_options.cluster_dns = dns_address;
    node_options.cluster_domain = options.cluster_domain;
    node_options.machine = node::read_machine_facts(data_dir.root());
    // Without a way out, the host's search domains would only make lookups slow.
    if (has_default_route()) node_options.host_resolv_conf = node::read_machine_resolv_conf();
    node =
        std::make_unique<NodePart>(plane->api(), gateway, node::make_cri_runtime(containerd.socket_path), node_options);
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
  // containerd takes longest to start: everything else goes on meanwhile.
  std::future<Result<node::ContainerdHandle>> containerd;
  if (!simulated) containerd = std::async(std::launch::async, [&] { return parts->find_containerd(data_dir); });

  STEAD_TRY(service_range, apiserver::ServiceRange::parse(options.service_cidr));
  parts->api_address = service_range.address(kApiServiceIndex);
  parts->dns_address = service_range.address(kDnsServiceIndex);
  ServerNames names;
  names.dns_names = {"localhost",
                     "kubernetes",
                     "kubernetes.default",
                     "kubernetes.default.svc",
                     "kubernetes.default.svc." + options.cluster_domain,
                     parts->node_name};
  names.ip_addresses = {"127.0.0.1", parts->node_ip, parts->api_address};
  if (options.bind != "0.0.0.0" && options.bind != "127.0.0.1") names.ip_addresses.push_back(options.bind);
  STEAD_TRY(credentials, load_or_make_credentials(data_dir, names, system_clock().wall_now()));
  parts->credentials = std::move(credentials);
  if (!simulated) STEAD_TRY_VOID(prepare_network(parts->network_options(), data_dir));
  STEAD_TRY(plane, ControlPlane::start({data_dir.root(), options.bind, options.port, options.service_cidr,
                                        options.pod_eviction_timeout},
                                       parts->credentials, parts->gateway));
  parts->plane = std::move(plane);
  if (!simulated) STEAD_TRY_VOID(parts->plane->listen(parts->api_address, kApiServicePort));
  std::string reachable = options.bind == "0.0.0.0" ? "127.0.0.1" : options.bind;
  parts->url = fmt::format("https://{}:{}", reachable, parts->plane->port());
  STEAD_TRY_VOID(cli::write_file(data_dir.path("kubeconfig"), kubeconfig_text(parts->credentials, parts->url), 0600));
  STEAD_TRY_VOID(
      cli::write_file(data_dir.path("api-address"), fmt::format("{}:{}\n", reachable, parts->plane->port()), 0600));
  parts->control = std::make_unique<ControlLoop>(
      parts->plane->api(),
      ControlLoop::Options{parts->node_name,
                           data_dir.root(),
                           parts->credentials.ca.certificate_pem,
                           {parts->api_address, parts->dns_address, parts->node_ip, parts->plane->port()},
                           options.node_monitor_grace_period});
  if (simulated) {
    parts->start_simulated_nodes(data_dir);
  } else {
    STEAD_TRY(network, NetworkPart::start(parts->plane->api(), parts->network_options()));
    parts->network = std::move(network);
    STEAD_TRY(handle, containerd.get());
    parts->containerd = std::move(handle);
    parts->start_node(data_dir);
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
    ready = ready && parts_->control->wait_node_ready(name, left);
  }
  parts_->plane->set_ready(ready);
  return ready;
}

std::string SingleMachine::url() const { return parts_->url; }
std::string SingleMachine::node_name() const { return parts_->node_name; }

}  // namespace stead::app
