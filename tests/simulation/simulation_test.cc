// Seeds: each one a history of a whole cluster.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "simulation/invariants.h"
#include "simulation/workload.h"

namespace stead::simulation {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kSeeds = 40;
constexpr uint64_t kSeedsLong = 2000;
constexpr int kMachines = 3;
constexpr int kStepsOfWork = 25;
constexpr Duration kSettleLimit = 20min;

struct Outcome {
  std::string problem;
  uint64_t digest = 0;
};

std::string command_of(uint64_t seed) {
  char path[4096] = {};
  if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return {};
  return fmt::format("STEAD_SEED={} STEAD_TRACE=1 {} --gtest_filter=Simulation.*Seed*", seed, path);
}

// Which faults a seed has: API, runtimes, machines, in all combinations.
struct Trouble {
  explicit Trouble(uint64_t seed) : api(seed % 2 == 1), runtimes(seed / 2 % 2 == 1), machines(seed / 4 % 2 == 1) {}
  bool api, runtimes, machines;
};

Outcome run(uint64_t seed) {
  bool trace = std::getenv("STEAD_TRACE") != nullptr;
  // What is broken on purpose is not worth a line.
  log::set_level(trace ? log::Level::kDebug : log::Level::kError);
  Cluster cluster(seed, kMachines);
  auto invariants = Invariants::watch(cluster);
  auto& simulation = cluster.simulation();
  Trouble trouble(seed);
  auto tell = [&](const std::string& what) {
    if (trace) fmt::print("{:9} -- {}\n", simulation.now().time_since_epoch() / 1ms, what);
  };
  simulation.run_for(1s);
  if (trouble.api) cluster.api_faults() = ApiFaults::some();
  if (trouble.runtimes) cluster.set_runtime_faults(20);
  auto run_on = [&](Duration span) {
    bool over = false;
    cluster.api_loop().call_after(span, [&over] { over = true; });
    simulation.run_until([&] { return over || !invariants->check(); }, span + 1s);
    return invariants->violation().empty();
  };
  for (int step = 0; step < kStepsOfWork; ++step) {
    tell(do_something(cluster));
    if (trouble.machines && cluster.random().below(2) == 0) tell(break_something(cluster));
    if (!run_on(Duration(std::chrono::milliseconds(cluster.random().below(20'000))))) break;
  }
  tell("mend everything");
  mend_everything(cluster);
  if (invariants->violation().empty()) {
    auto settled = [&] { return !invariants->check() || invariants->unsettled().empty(); };
    for (Instant end = simulation.now() + kSettleLimit; simulation.now() < end && !settled();) run_on(1s);
    // And stays so.
    run_on(30s);
  }
  Outcome outcome{invariants->violation(), invariants->digest()};
  if (outcome.problem.empty()) outcome.problem = invariants->unsettled();
  return outcome;
}

TEST(Simulation, EverySeedKeepsTheInvariantsAndSettles) {
  uint64_t first = 1;
  uint64_t last =
      std::getenv("STEAD_LONG") != nullptr && std::string(std::getenv("STEAD_LONG")) == "1" ? kSeedsLong : kSeeds;
  if (const char* one = std::getenv("STEAD_SEED")) first = last = std::strtoull(one, nullptr, 10);
  for (uint64_t seed = first; seed <= last; ++seed) {
    Outcome outcome = run(seed);
    EXPECT_EQ(outcome.problem, "") << "seed " << seed << "; again with:\n  " << command_of(seed);
  }
}

TEST(Simulation, OneSeedIsOneHistory) {
  if (std::getenv("STEAD_SEED") != nullptr) GTEST_SKIP();
  Outcome once = run(7);
  EXPECT_EQ(once.digest, run(7).digest);
  EXPECT_NE(once.digest, run(15).digest);
}

}  // namespace
}  // namespace stead::simulation
