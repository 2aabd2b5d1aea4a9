#pragma once

// Controllers and the scheduler on one loop and thread, joined.

#include <memory>
#include <string>

#include "apiserver/api_server.h"
#include "app/bootstrap.h"
#include "app/node_gateway.h"
#include "controllers/certificates/certificate_controller.h"
#include "loop/asio_loop.h"

namespace stead::app {

class ControlLoop {
 public:
  struct Options {
    std::string data_dir;  // local volumes of nodes in this process are below it
    std::string ca_pem;    // for ConfigMap kube-root-ca.crt
    controllers::CertificateOptions certificates;
    std::string pod_cidr;       // nodes get their ranges from it; empty: they bring their own
    std::string control_plane;  // the node on this machine, if there is one
    BootstrapOptions bootstrap;
    std::chrono::seconds node_monitor_grace_period{50};  // when a silent node counts as lost
  };

  // Makes the cluster's first objects, then starts every controller. `api` and `gateway`, the way to nodes, outlive
  // this.
  ControlLoop(apiserver::ApiServer& api, const ClusterNodeGateway& gateway, Options options);
  // Stops the thread; what was under way is taken up by the next start.
  ~ControlLoop();

  // Blocks until the cluster's first objects and standard roles are there; false if they could not be made.
  bool wait_started();
  // Blocks until the node reports itself Ready, in this life, and the standard roles are there; false after `limit`.
  bool wait_node_ready(const std::string& node, std::chrono::seconds limit);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace stead::app
