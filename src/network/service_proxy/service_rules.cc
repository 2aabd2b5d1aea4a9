#include "network/service_proxy/service_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace stead::network::service_proxy {
namespace {

// The two shapes of front, and for each the second set of tables that only connections from outside the cluster see
// (policy Local). The names are those of rule_frame.cc.
struct FrontTables {
  const char* fronts;   // verdict map
  const char* shape;    // in the names of chains that pick a slot
  const char* targets;  // in the names of maps from front and slot to target
  bool by_address;      // whether the packet's address is part of the front
};
constexpr FrontTables kAddress{"addresses", "address", "address", true};
constexpr FrontTables kAddressOutside{"outside_addresses", "outside-address", "outside_address", true};
constexpr FrontTables kNodePort{"node_ports", "node-port", "node_port", false};
constexpr FrontTables kNodePortOutside{"outside_node_ports", "outside-node-port", "outside_node_port", false};

class Writer {
 public:
  Writer(const ServiceSpec& service, const PortSpec& port, const Targets& targets)
      : service_(service), port_(port), targets_(targets) {}

  Pieces take() { return std::move(pieces_); }

  void add_cluster_ip() {
    const std::string front = address_front(service_.cluster_ip);
    if (targets_.cluster.empty()) return element("unserved_addresses", front);
    add_front(kAddress, service_.cluster_ip, service_.internal_local);
  }

  void add_external(const std::string& address) {
    const std::string front = address_front(address);
    if (targets_.cluster.empty()) return element("unserved_addresses", front);
    add_front(kAddress, address, false);
    if (service_.external_local) {
      add_front(kAddressOutside, address, true);
    } else {
      element("masqueraded_addresses", front);
    }
  }

  void add_node_port() {
    const std::string front = node_port_front();
    if (targets_.cluster.empty()) return element("unserved_node_ports", front);
    add_front(kNodePort, {}, false);
    if (service_.external_local) {
      add_front(kNodePortOutside, {}, true);
    } else {
      element("masqueraded_node_ports", front);
    }
  }

  // spec.loadBalancerSourceRanges: others' packets to the balancer's address are dropped.
  void add_source_ranges(const std::string& address) {
    if (service_.load_balancer_sources.empty()) return;
    const std::string chain = fmt::format("sources-{}-{}-{}", address, port_.protocol, port_.port);
    piece(PieceKind::kChain, chain,
          fmt::format("ip saddr {{ {} }} return\ndrop", fmt::join(service_.load_balancer_sources, ", ")));
    element("guarded_addresses", address_front(address), "goto " + chain);
  }

 private:
  std::string address_front(const std::string& address) const {
    return fmt::format("{} . {} . {}", address, port_.protocol, port_.port);
  }

  std::string node_port_front() const { return fmt::format("{} . {}", port_.protocol, port_.node_port); }

  void piece(PieceKind kind, const std::string& name, std::string content) {
    pieces_[{kind, name, {}}] = std::move(content);
  }
  void element(const std::string& set, const std::string& key, std::string value = {}) {
    pieces_[{PieceKind::kElement, set, key}] = std::move(value);
  }

  void add_front(const FrontTables& tables, const std::string& address, bool local_only) {
    const std::string front = tables.by_address ? address_front(address) : node_port_front();
    const std::vector<Target>& targets = local_only ? targets_.local : targets_.cluster;
    if (targets.empty()) {
      // Endpoints there are, but not here, and policy Local keeps the connection here: silence, so that a balancer
      // or client tries another node.
      return element(tables.fronts, front, "drop");
    }
    for (const Target& target : targets) element("self_pairs", target.address + " . " + target.address);
    if (service_.affinity.count() > 0) {
      return element(tables.fronts, front, "goto " + add_affinity(targets, local_only));
    }
    const std::string& protocol = port_.protocol;
    const std::string map = fmt::format("{}_{}_targets", tables.targets, protocol);
    const std::string chain = fmt::format("pick-{}-{}-{}", tables.shape, protocol, targets.size());
    piece(PieceKind::kChain, chain,
          fmt::format("dnat ip to {}{} dport . numgen random mod {} map @{}", tables.by_address ? "ip daddr . " : "",
                      protocol, targets.size(), map));
    element(tables.fronts, front, "goto " + chain);
    for (size_t slot = 0; slot < targets.size(); ++slot) {
      element(map,
              tables.by_address ? fmt::format("{} . {} . {}", address, port_.port, slot)
                                : fmt::format("{} . {}", port_.node_port, slot),
              fmt::format("{} . {}", targets[slot].address, targets[slot].port));
    }
  }

  // Clients are remembered by service port and target, whichever front they came through. The limit is part of the
  // name because a set keeps its timeout for life.
  std::string add_affinity(const std::vector<Target>& targets, bool local_only) {
    const std::string port = fmt::format("{}-{}-{}", service_.cluster_ip, port_.protocol, port_.port);
    std::string returning;
    std::string fresh;
    for (size_t slot = 0; slot < targets.size(); ++slot) {
      const Target& target = targets[slot];
      const std::string place = fmt::format("{}-{}-{}", port, target.address, target.port);
      const std::string clients = fmt::format("clients-{}s-{}", service_.affinity.count(), place);
      piece(PieceKind::kSet, clients,
            fmt::format("type ipv4_addr; size 65535; flags dynamic,timeout; timeout {}s;", service_.affinity.count()));
      piece(PieceKind::kChain, "keep-" + place,
            fmt::format("update @{} {{ ip saddr }}\nmeta l4proto {} dnat ip to {}:{}", clients, port_.protocol,
                        target.address, target.port));
      returning += fmt::format("ip saddr @{} goto keep-{}\n", clients, place);
      fresh += fmt::format("{}{} : goto keep-{}", slot == 0 ? "" : ", ", slot, place);
    }
    std::string chain = fmt::format("affine{}-{}", local_only ? "-local" : "", port);
    piece(PieceKind::kChain, chain,
          fmt::format("{}numgen random mod {} vmap {{ {} }}", returning, targets.size(), fresh));
    return chain;
  }

  const ServiceSpec& service_;
  const PortSpec& port_;
  const Targets& targets_;
  Pieces pieces_;
};

bool holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

Pieces service_pieces(const ServiceSpec& service, const std::vector<Targets>& targets,
                      const std::vector<std::string>& own_addresses) {
  Pieces pieces;
  for (size_t index = 0; index < service.ports.size(); ++index) {
    const PortSpec& port = service.ports[index];
    Writer writer(service, port, targets[index]);
    if (!holds(own_addresses, service.cluster_ip)) writer.add_cluster_ip();
    for (const std::string& address : service.external_ips) {
      if (!holds(own_addresses, address)) writer.add_external(address);
    }
    for (const std::string& address : service.load_balancer_ips) {
      if (holds(own_addresses, address)) continue;
      writer.add_external(address);
      writer.add_source_ranges(address);
    }
    if (port.node_port != 0) writer.add_node_port();
    pieces.merge(writer.take());
  }
  return pieces;
}

UdpFronts udp_fronts(const ServiceSpec& service, const std::vector<Targets>& targets,
                     const std::vector<std::string>& own_addresses) {
  UdpFronts fronts;
  for (size_t index = 0; index < service.ports.size(); ++index) {
    const PortSpec& port = service.ports[index];
    if (port.protocol != "udp") continue;
    std::set<Target> all(targets[index].cluster.begin(), targets[index].cluster.end());
    all.insert(targets[index].local.begin(), targets[index].local.end());
    std::vector<std::string> addresses = service.external_ips;
    addresses.insert(addresses.end(), service.load_balancer_ips.begin(), service.load_balancer_ips.end());
    addresses.push_back(service.cluster_ip);
    for (const std::string& address : addresses) {
      if (!holds(own_addresses, address)) fronts[{address, port.port}] = all;
    }
    if (port.node_port != 0) fronts[{"", port.node_port}] = all;
  }
  return fronts;
}

}  // namespace stead::network::service_proxy
