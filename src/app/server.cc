// `stead server`: the server's half alone.

#include <fmt/format.h>

#include <cstdio>

#include "app/cluster_facts.h"
#include "app/machine_part.h"
#include "app/node_address.h"
#include "app/process.h"
#include "app/server_part.h"
#include "app/up.h"
#include "base/log.h"
#include "cli/commands.h"

namespace stead::app {
namespace {

Result<std::unique_ptr<ServerPart>> start(const cli::UpOptions& options, const cli::DataDir& data_dir,
                                          ClusterNodeGateway& gateway) {
  ServerPart::Options server;
  server.cluster = options;
  server.node_name = options.node_name.empty() ? host_name() : options.node_name;
  STEAD_TRY(address, choose_node_address(options.node_ip));
  server.node_ip = address;
  server.own_address = address;
  STEAD_TRY_VOID(check_ranges(options.pod_cidr, options.service_cidr, server.node_ip, network::link_addresses()));
  STEAD_TRY(part, ServerPart::start(server, data_dir, gateway));
  part->start_controllers();
  return part;
}

}  // namespace

int run_server(const cli::UpOptions& options) {
  Instant begun = system_clock().now();
  sigset_t signals = prepare_process(options.verbose);
  Result<cli::DataDir> data_dir = take_data_dir(options.data_dir);
  if (!data_dir.ok()) return cli::fail(data_dir.error().message);
  ClusterNodeGateway gateway;
  Result<std::unique_ptr<ServerPart>> server = start(options, *data_dir, gateway);
  if (!server.ok()) return cli::fail(server.error().message);
  bool made = (*server)->control().wait_started();
  (*server)->plane().set_ready(made);
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now() - begun);
  fmt::print("stead: ready in {} ms; API {}; export KUBECONFIG={}\n", took.count(), (*server)->url(),
             data_dir->path("kubeconfig"));
  std::fflush(stdout);
  wait_for_end(signals);
  log::info("stead", "ending; agents keep their pods running and come back when the server does");
  return 0;
}

}  // namespace stead::app
