#include "app/machine_part.h"

#include <unistd.h>

#include <future>

#include "app/node_address.h"
#include "network/dns/forwarder.h"
#include "network/pod_network/link_facts.h"
#include "network/pod_network/peer_routes_adapter.h"
#include "node/machine.h"
#include "node/runtime/containerd_process.h"
#include "node/runtime/cri_runtime_adapter.h"

namespace stead::app {
namespace {

// Whether anything outside can be reached at all: without a default route, asking resolvers would only time out.
bool has_default_route() { return !default_route_link().empty(); }

}  // namespace

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

struct MachinePart::Parts {
  MachineOptions options;
  std::string data_dir;
  http::TlsFiles kubelet_tls;
  std::future<Result<node::ContainerdHandle>> containerd;
  std::unique_ptr<NetworkPart> network;
  // Goes first.
  std::unique_ptr<NodePart> node;

  NetworkPartOptions network_options() const {
    NetworkPartOptions made;
    made.node_name = options.node_name;
    made.node_ip = options.node_ip;
    made.pod_cidr = options.pod_cidr;
    made.service_cidr = options.service_cidr;
    made.cluster_domain = options.cluster_domain;
    made.dns_address = options.dns_address;
    made.pod_network = options.pod_network;
    made.ingress = options.ingress;
    if (options.serves_api) made.api_address = options.api_address;
    if (has_default_route()) {
      made.resolvers = network::dns::resolvers_of(node::read_machine_resolv_conf(), {options.dns_address});
    }
    return made;
  }

  Result<node::ContainerdHandle> start_containerd() const {
    if (!options.containerd_socket.empty()) {
      node::ContainerdHandle handle;
      handle.socket_path = options.containerd_socket;
      return handle;
    }
    node::ContainerdOptions containerd_options;
    containerd_options.data_dir = data_dir;
    return node::start_or_adopt_containerd(containerd_options);
  }

  NodePartOptions node_options(const node::ContainerdHandle& handle) const {
    NodePartOptions made;
    made.node.node_name = options.node_name;
    made.node.node_ip = options.node_ip;
    made.node.data_dir = data_dir;
    made.node.cgroup_parent = handle.cgroup_parent;
    made.node.cluster_dns = options.dns_address;
    made.node.cluster_domain = options.cluster_domain;
    made.node.labels = options.labels;
    made.node.machine = node::read_machine_facts(data_dir);
    // Without a way out, the host's search domains would only make lookups slow.
    if (has_default_route()) made.node.host_resolv_conf = node::read_machine_resolv_conf();
    made.kubelet_tls = kubelet_tls;
    if (options.containerd_socket.empty()) {
      // Where only some pods are behind the tunnel, its own MTU tells senders.
      bool tunnel = options.pod_network == network::PodNetworkMode::kVxlan;
      int mtu = network::mtu_towards(options.node_ip) - (tunnel ? network::kTunnelOverhead : 0);
      made.use_pod_range = [data_dir = data_dir, mtu](const std::string& range) {
        return node::configure_pod_range(data_dir, range, mtu);
      };
    }
    return made;
  }
};

MachinePart::MachinePart(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MachinePart::~MachinePart() = default;

Result<std::unique_ptr<MachinePart>> MachinePart::begin(MachineOptions options, const cli::DataDir& data_dir) {
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  parts->data_dir = data_dir.root();
  // containerd takes longest to start: everything else goes on meanwhile.
  parts->containerd = std::async(std::launch::async, [raw = parts.get()] { return raw->start_containerd(); });
  STEAD_TRY_VOID(prepare_network(parts->network_options(), data_dir));
  return std::unique_ptr<MachinePart>(new MachinePart(std::move(parts)));
}

void MachinePart::serve_kubelet(const http::TlsFiles& tls) {
  if (parts_->node) return parts_->node->use_kubelet_tls(tls);
  parts_->kubelet_tls = tls;
}

Result<void> MachinePart::run(ApiAccess& access, ClusterNodeGateway* gateway) {
  STEAD_TRY(network, NetworkPart::start(access, parts_->network_options(), parts_->data_dir));
  parts_->network = std::move(network);
  STEAD_TRY(handle, parts_->containerd.get());
  STEAD_TRY(node,
            NodePart::start(access, gateway, node::make_cri_runtime(handle.socket_path), parts_->node_options(handle)));
  parts_->node = std::move(node);
  return {};
}

NodePart& MachinePart::node() { return *parts_->node; }

}  // namespace stead::app
