#pragma once

// What the cluster's network needs from this machine, on a loop and a thread of its own: the node link and its
// routes, routes to other nodes' pods, masquerading, the DNS server, services' rules, ingress.

#include <memory>
#include <string>
#include <vector>

#include "app/api_access.h"
#include "base/result.h"
#include "cli/command_line.h"
#include "cli/data_dir.h"
#include "network/pod_network/route_policy.h"

namespace stead::app {

struct NetworkPartOptions {
  std::string node_name;
  std::string node_ip;
  std::string pod_cidr;
  std::string service_cidr;
  std::string cluster_domain;
  // Service addresses held by this node's link. The API's is empty where the API is not served on this machine: then
  // it is a service like others, forwarded to its endpoints.
  std::string api_address;
  std::string dns_address;
  std::vector<std::string> resolvers;  // for names that are not the cluster's
  network::PodNetworkMode pod_network = network::PodNetworkMode::kAuto;
  cli::IngressPorts ingress{0, 0};
};

// Makes the link, routes and switches, before anything can listen on the link's addresses. Blocking. What it changes
// is remembered under the data directory, for remove_network().
Result<void> prepare_network(const NetworkPartOptions& options, const cli::DataDir& data_dir);

// Ends the load balancer, takes away rules, link and routes, and sets the kernel's switches back. Goes on after an
// error; gives all of them.
std::vector<Error> remove_network(const cli::DataDir& data_dir);

class NetworkPart {
 public:
  // After prepare_network(). `access` must outlive the part. kUnavailable: the DNS address cannot be bound.
  static Result<std::unique_ptr<NetworkPart>> start(ApiAccess& access, const NetworkPartOptions& options,
                                                    const std::string& data_dir);
  // The kernel's rules and the ingress' load balancer stay: connections go on while the program restarts.
  ~NetworkPart();

 private:
  struct State;
  explicit NetworkPart(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace stead::app
