#pragma once

// The server's half: store, API, controllers and scheduler, with the cluster's CA and certificates. Runs no pods.
//
//   loops: api (ControlPlane), control (ControlLoop)

#include <memory>
#include <string>

#include "app/control_loop.h"
#include "app/control_plane.h"
#include "app/node_gateway.h"
#include "cli/command_line.h"
#include "cli/data_dir.h"

namespace stead::app {

// The service addresses that Stead serves itself.
struct ServiceAddresses {
  std::string api;  // the first
  std::string dns;  // the tenth
  // kBadRequest names a range that is none or too small.
  static Result<ServiceAddresses> of(const std::string& service_cidr);
};

class ServerPart {
 public:
  struct Options {
    cli::UpOptions cluster;
    std::string node_name;       // of the machine
    std::string node_ip;         // of the machine: where agents and pods find the API
    std::string own_address;     // under which this machine reaches an API bound to all addresses
    bool many_nodes = true;      // nodes elsewhere are reached over HTTPS and get ranges of the pod addresses
    bool ingress_class = false;  // Ingresses are served on this machine
  };

  // Serves the API, not yet on the first service address. `gateway` outlives this. Blocks for the store.
  static Result<std::unique_ptr<ServerPart>> start(const Options& options, const cli::DataDir& data_dir,
                                                   ClusterNodeGateway& gateway);

  // Makes the first objects and starts controllers and scheduler.
  void start_controllers();

  ControlPlane& plane() { return *plane_; }
  ControlLoop& control() { return *control_; }
  const Credentials& credentials() const { return credentials_; }
  // "https://127.0.0.1:6443", for this machine.
  const std::string& url() const { return url_; }
  const std::string& api_address() const { return addresses_.api; }
  const std::string& dns_address() const { return addresses_.dns; }

 private:
  ServerPart() = default;
  Result<void> write_access_files(const cli::DataDir& data_dir);

  Options options_;
  std::string data_dir_;
  ClusterNodeGateway* gateway_ = nullptr;
  std::string url_;
  ServiceAddresses addresses_;
  Credentials credentials_;
  std::unique_ptr<ControlPlane> plane_;
  // Goes first: it lives on the plane.
  std::unique_ptr<ControlLoop> control_;
};

}  // namespace stead::app
