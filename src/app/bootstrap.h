#pragma once

// The objects that every cluster starts with and that clients expect: namespaces, and the services `kubernetes` and
// `kube-dns` with their endpoints. Made through the API like everything else; repeated starts change nothing.

#include <functional>
#include <string>

#include "client/transport.h"

namespace stead::app {

// The ConfigMap in kube-system that tells agents of the cluster.
inline constexpr char kClusterFacts[] = "stead-cluster";

struct BootstrapOptions {
  std::string api_service_address;  // first address of the service range
  std::string dns_service_address;  // tenth
  std::string node_address;         // where the API listens for pods' sake
  int api_port = 6443;
  // Told to agents by kClusterFacts.
  std::string pod_cidr;
  std::string service_cidr;
  std::string cluster_domain;
  std::string pod_network;
  bool ingress_class = false;  // make the class of Ingresses that this program serves
};

// `done` runs on the transport's loop.
void bootstrap(client::ApiTransport& transport, const BootstrapOptions& options,
               std::function<void(Result<void>)> done);

}  // namespace stead::app
