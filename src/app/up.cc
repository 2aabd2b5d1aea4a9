#include "app/up.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>

#include "app/single_machine.h"
#include "base/log.h"
#include "cli/commands.h"

namespace stead::app {
namespace {

constexpr std::chrono::seconds kReadyLimit{60};

// Signals are taken by sigwait() alone, in every thread made after this.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

// Every connection and watch holds a descriptor; what the kernel allows is taken.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warning("stead", "the limit of open files stays low");
}

}  // namespace

int run_up(const cli::UpOptions& options) {
  Instant begun = system_clock().now();
  sigset_t signals = block_signals();
  raise_descriptor_limit();
  if (options.verbose) log::set_level(log::Level::kDebug);
  Result<cli::DataDir> data_dir = cli::DataDir::open(options.data_dir);
  if (!data_dir.ok()) return cli::fail(data_dir.error().message);
  Result<void> locked = data_dir->lock();
  if (!locked.ok()) return cli::fail(locked.error().message);
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
  int signal = 0;
  sigwait(&signals, &signal);
  log::info("stead", "ending; pods run on, `stead up` takes them over again, `stead down` ends them");
  return 0;
}

}  // namespace stead::app
