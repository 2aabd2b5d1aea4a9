#pragma once

// Keeps an agent's certificates good: gets the serving one, and renews both when four fifths of their time have passed.
// A thread of its own, which mostly sleeps; what fails is tried again with back-off between a second and a minute.
//
//   <data-dir>/pki/node.{crt,key}           client
//   <data-dir>/pki/node-serving.{crt,key}   the kubelet's port

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/agent_credentials.h"
#include "cli/data_dir.h"

namespace stead::app {

// When a certificate is to be renewed; kBadRequest if it cannot be read. Pure.
Result<WallTime> renewal_time(const std::string& certificate_pem);

class CertificateKeeper {
 public:
  struct Options {
    ServerAddress server;
    AgentCredentials credentials;
    std::string node_name;
    std::string node_ip;
    // Called with each certificate to use from now on, on the keeper's thread.
    std::function<void(const AgentCredentials& credentials)> use_client;
    std::function<void(const http::KeyPair& serving, const std::string& ca_pem)> use_serving;
  };
  CertificateKeeper(Options options, const cli::DataDir& data_dir);
  // May wait some seconds for a request under way.
  ~CertificateKeeper();

  // Blocks until there is a serving certificate; false after `limit`.
  bool wait_serving(std::chrono::seconds limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stead::app
