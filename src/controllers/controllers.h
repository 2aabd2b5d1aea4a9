#pragma once

// All controllers on one loop, over one informer per resource.

#include <memory>
#include <string>
#include <vector>

#include "client/informer_set.h"
#include "client/transport.h"
#include "controllers/certificates/certificate_controller.h"
#include "controllers/node_lifecycle/node_health_policy.h"
#include "controllers/served_resource.h"
#include "controllers/volumes/local_provisioner.h"
#include "loop/loop.h"

namespace stead::controllers {

struct ControllersOptions {
  std::vector<ServedResource> resources;  // that garbage collection and namespaces look after
  std::string root_ca_pem;                // for ConfigMap kube-root-ca.crt
  std::string pod_cidr;                   // whose parts nodes get; empty: nodes bring their own
  std::string control_plane;              // the node on the server's own machine, if there is one
  node_lifecycle::Options node_lifecycle = {};
  CertificateOptions certificates;
};

class Controllers {
 public:
  // All references outlive this; `informers` belongs to the same loop and may be shared with others on it.
  Controllers(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers,
              VolumeDirectories& directories, ControllersOptions options);
  ~Controllers();
  // On the loop's thread; once. The caller starts `informers` after everything that uses them has been made.
  void start();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stead::controllers
