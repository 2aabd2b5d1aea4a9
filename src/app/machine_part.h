#pragma once

// What one machine needs to run pods: its containerd, the node link with its routes, DNS and service rules, and the
// node part. The same for `stead up` and `stead agent`; they differ in the way to the API.
//
//   begin(): containerd starts in the background, the link is made ──▶ run(): the parts live on the API

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/api_access.h"
#include "app/network_part.h"
#include "app/node_part.h"
#include "cli/data_dir.h"

namespace stead::app {

struct MachineOptions {
  std::string node_name;
  std::string node_ip;
  std::string pod_cidr;  // the cluster's
  std::string service_cidr;
  std::string cluster_domain;
  std::string api_address;  // the first service address
  std::string dns_address;  // the tenth
  bool serves_api = false;  // the API listens on api_address here; else its service's endpoints have it
  network::PodNetworkMode pod_network = network::PodNetworkMode::kAuto;
  cli::IngressPorts ingress{0, 0};
  std::string containerd_socket;  // empty: a private containerd
  std::vector<std::pair<std::string, std::string>> labels;
};

// The host's name: a node's, unless it is given another.
std::string host_name();

class MachinePart {
 public:
  // Blocks for the link only.
  static Result<std::unique_ptr<MachinePart>> begin(MachineOptions options, const cli::DataDir& data_dir);
  // The certificate of the kubelet's port: run() serves it, or it takes the place of the former one. Any thread.
  void serve_kubelet(const http::TlsFiles& tls);
  // Waits for containerd. `access` and `gateway` (may be null) outlive this.
  Result<void> run(ApiAccess& access, ClusterNodeGateway* gateway);
  // Ends all parts but the pods, their containerd and the kernel's rules.
  ~MachinePart();

  // After run().
  NodePart& node();

 private:
  struct Parts;
  explicit MachinePart(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace stead::app
