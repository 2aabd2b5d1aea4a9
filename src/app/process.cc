#include "app/process.h"

#include <sys/resource.h>

#include "base/log.h"

namespace stead::app {
namespace {

// Every connection and watch holds a descriptor; what the kernel allows is taken.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warning("stead", "the limit of open files stays low");
}

}  // namespace

sigset_t prepare_process(bool verbose) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  if (verbose) log::set_level(log::Level::kDebug);
  return set;
}

Result<cli::DataDir> take_data_dir(const std::string& path) {
  STEAD_TRY(data_dir, cli::DataDir::open(path));
  STEAD_TRY_VOID(data_dir.lock());
  return data_dir;
}

void wait_for_end(const sigset_t& signals) {
  int signal = 0;
  sigwait(&signals, &signal);
}

}  // namespace stead::app
