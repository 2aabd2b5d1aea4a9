// `stead agent`: the node's half, on a server elsewhere.

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "app/agent_credentials.h"
#include "app/certificate_keeper.h"
#include "app/cluster_facts.h"
#include "app/machine_part.h"
#include "app/node_address.h"
#include "app/process.h"
#include "app/up.h"
#include "base/log.h"
#include "cli/commands.h"

namespace stead::app {
namespace {

constexpr std::chrono::seconds kReadyLimit{60};
constexpr std::chrono::seconds kServerLimit{30};
constexpr std::chrono::milliseconds kServerRetry{500};

// From the server; where it cannot be reached, as they were told last.
Result<ClusterFacts> find_facts(const cli::DataDir& data_dir, const http::ClientOptions& server) {
  std::optional<ClusterFacts> known = load_cluster_facts(data_dir);
  auto end = std::chrono::steady_clock::now() + kServerLimit;
  for (;;) {
    Result<ClusterFacts> told = ask_cluster_facts(server);
    if (told.ok()) {
      STEAD_TRY_VOID(save_cluster_facts(data_dir, *told));
      return told;
    }
    bool passing = told.error().reason == Reason::kUnavailable || told.error().reason == Reason::kTimeout ||
                   told.error().reason == Reason::kNotFound;  // not made yet
    if (known && passing) {
      log::warning("agent", "the server cannot be reached, pods run on: {}", told.error().message);
      return *known;
    }
    if (!passing || std::chrono::steady_clock::now() > end) return told.error().with_context("--server");
    std::this_thread::sleep_for(kServerRetry);
  }
}

struct Agent {
  std::string node_name;
  std::unique_ptr<RemoteApiAccess> access;
  std::unique_ptr<MachinePart> machine;
  // Goes first: it speaks to both of the above.
  std::unique_ptr<CertificateKeeper> keeper;
};

Result<Agent> start(const cli::AgentOptions& options, const cli::DataDir& data_dir) {
  Agent agent;
  agent.node_name = options.node_name.empty() ? host_name() : options.node_name;
  STEAD_TRY(node_ip, choose_node_address(options.node_ip));
  STEAD_TRY(server, ServerAddress::parse(options.server));
  STEAD_TRY(credentials, find_agent_credentials(data_dir, server, agent.node_name, options.token));
  STEAD_TRY(facts, find_facts(data_dir, client_of(server, credentials)));
  STEAD_TRY_VOID(check_ranges(facts.pod_cidr, facts.service_cidr, node_ip, network::link_addresses()));
  MachineOptions machine;
  machine.node_name = agent.node_name;
  machine.node_ip = node_ip;
  machine.pod_cidr = facts.pod_cidr;
  machine.service_cidr = facts.service_cidr;
  machine.cluster_domain = facts.cluster_domain;
  machine.pod_network = network::pod_network_mode(facts.pod_network);
  machine.api_address = facts.api_address;
  machine.dns_address = facts.dns_address;
  machine.containerd_socket = options.containerd_socket;
  machine.labels = options.node_labels;
  STEAD_TRY(part, MachinePart::begin(std::move(machine), data_dir));
  client::HttpsTransportOptions transport;
  transport.host = server.host;
  transport.port = server.port;
  STEAD_TRY(tls,
            http::make_client_tls(credentials.ca_pem, credentials.client.certificate_pem, credentials.client.key_pem));
  transport.tls = std::move(tls);
  agent.access = std::make_unique<RemoteApiAccess>(std::move(transport));
  STEAD_TRY_VOID(part->run(*agent.access, nullptr));
  agent.machine = std::move(part);
  CertificateKeeper::Options keeper;
  keeper.server = server;
  keeper.credentials = credentials;
  keeper.node_name = agent.node_name;
  keeper.node_ip = node_ip;
  keeper.use_client = [access = agent.access.get()](const AgentCredentials& renewed) {
    Result<http::TlsContext> context =
        http::make_client_tls(renewed.ca_pem, renewed.client.certificate_pem, renewed.client.key_pem);
    if (context.ok()) access->use_tls(*context);
  };
  keeper.use_serving = [machine = agent.machine.get()](const http::KeyPair& serving, const std::string& ca_pem) {
    machine->serve_kubelet({serving.certificate_pem, serving.key_pem, ca_pem});
  };
  agent.keeper = std::make_unique<CertificateKeeper>(std::move(keeper), data_dir);
  return agent;
}

}  // namespace

int run_agent(const cli::AgentOptions& options) {
  Instant begun = system_clock().now();
  sigset_t signals = prepare_process(options.verbose);
  Result<cli::DataDir> data_dir = take_data_dir(options.data_dir);
  if (!data_dir.ok()) return cli::fail(data_dir.error().message);
  Result<Agent> agent = start(options, *data_dir);
  if (!agent.ok()) return cli::fail(agent.error().message);
  if (agent->machine->node().wait_ready(kReadyLimit) && agent->keeper->wait_serving(kReadyLimit)) {
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now() - begun);
    fmt::print("stead: node {} ready in {} ms; server {}\n", agent->node_name, took.count(), options.server);
    std::fflush(stdout);
  } else {
    log::error("agent", "the node {} did not become Ready within {} s; kubectl describe node tells why",
               agent->node_name, kReadyLimit.count());
  }
  wait_for_end(signals);
  log::info("agent", "ending; pods run on, `stead agent` takes them over again, `stead down` ends them");
  return 0;
}

}  // namespace stead::app
