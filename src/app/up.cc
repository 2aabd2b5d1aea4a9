#include "app/up.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/process.h"
#include "app/single_machine.h"
#include "base/log.h"
#include "cli/commands.h"

namespace stead::app {
namespace {

constexpr std::chrono::seconds kReadyLimit{60};

}  // namespace

int run_up(const cli::UpOptions& options) {
  Instant begun = system_clock().now();
  sigset_t signals = prepare_process(options.verbose);
  Result<cli::DataDir> data_dir = take_data_dir(options.data_dir);
  if (!data_dir.ok()) return cli::fail(data_dir.error().message);
  Result<std::unique_ptr<SingleMachine>> machine = SingleMachine::start(options, *data_dir);
  if (!machine.ok()) return cli::fail(machine.error().message);
  if ((*machine)->wait_ready(kReadyLimit)) {
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now() - begun);
    fmt::print("stead: ready in {} ms; API {}; export KUBECONFIG={}\n", took.count(), (*machine)->url(),
               data_dir->path("kubeconfig"));
    std::fflush(stdout);
  } else {
    log::error("stead", "the node {} did not become Ready within {} s; kubectl describe node tells why",
               (*machine)->node_name(), kReadyLimit.count());
  }
  wait_for_end(signals);
  log::info("stead", "ending; pods run on, `stead up` takes them over again, `stead down` ends them");
  return 0;
}

}  // namespace stead::app
