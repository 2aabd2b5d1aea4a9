#pragma once

// The cluster's CA and the certificates made with it, kept under <data-dir>/pki with mode 0600.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/data_dir.h"
#include "http/signing_key.h"
#include "http/x509.h"

namespace stead::app {

struct Credentials {
  http::KeyPair ca;
  http::KeyPair server;                                      // serves the API and the node's port
  http::KeyPair admin;                                       // CN kubernetes-admin, O system:masters
  http::KeyPair kubelet_client;                              // with which the API server speaks to nodes
  http::KeyPair front_proxy;                                 // and to the servers of aggregated APIs
  std::shared_ptr<const http::SigningKey> service_accounts;  // signs their tokens
};

// What the serving certificate must be good for.
struct ServerNames {
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};

// Loads what is there; makes what is missing, about to expire (within 30 days), or does not cover `names`.
Result<Credentials> load_or_make_credentials(const cli::DataDir& data_dir, const ServerNames& names, WallTime now);

// The kubeconfig text of the admin for `server_url`.
std::string kubeconfig_text(const Credentials& credentials, const std::string& server_url);

}  // namespace stead::app
