#pragma once

// The CNI configuration of one node's pod network. Pure.

#include <string>

namespace stead::node {

struct CniConfigOptions {
  std::string pod_range;  // this node's part of the pod CIDR: "10.42.0.0/24"
  int mtu = 1500;
  std::string ipam_data_dir;
};

// A conflist: a veth pair per pod (ptp), addresses from host-local, host ports by portmap. The pod's default route
// leads to the node, which routes; masquerading is not CNI's (network/pod_network).
std::string cni_conflist(const CniConfigOptions& options);

}  // namespace stead::node
