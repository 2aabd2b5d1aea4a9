// Nodes that are lost and come back, over many seeds: no two pods of one identity live at once unless a person vouched
// for one of them, and every set is whole again once the network is.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <unordered_map>

#include "base/log.h"
#include "node/containers/container_plan.h"
#include "simulation/invariants.h"
#include "simulation/node_faults.h"

namespace stead::simulation {
namespace {

using namespace std::chrono_literals;
using object::Value;

struct Size {
  int machines;
  int sets;
  int faults;
};
constexpr Size kSmall{8, 20, 120};
constexpr Size kLarge{200, 1000, 10'000};
constexpr uint64_t kSeeds = 12;
constexpr uint64_t kSeedsLarge = 2;
constexpr Duration kSettleLimit = 30min;

bool is_long() {
  const char* asked = std::getenv("STEAD_LONG");
  return asked != nullptr && std::string(asked) == "1";
}

std::string command_of(uint64_t seed, bool large) {
  char path[4096] = {};
  if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return {};
  return fmt::format("STEAD_SEED={} {}STEAD_TRACE=1 {} --gtest_filter=Failover.*", seed, large ? "STEAD_LONG=1 " : "",
                     path);
}

// Who runs under each name. Looks only at machines on which something was started since the last look, and at those
// that ran the same names before.
class Identities {
 public:
  Identities(Cluster& cluster, const NodeFaults& faults) : cluster_(cluster), faults_(faults) {}

  // Empty: no name runs twice.
  std::string check() {
    if (cluster_.starts() == starts_seen_) return {};
    starts_seen_ = cluster_.starts();
    for (size_t index = 0; index < cluster_.machines().size(); ++index) {
      Machine& machine = cluster_.machines()[index];
      if (!std::exchange(machine.started_something, false)) continue;
      for (const auto& [name, uid] : running_on(machine)) {
        std::set<size_t>& places = places_[name];
        places.insert(index);
        std::string twice = compare(name, places);
        if (!twice.empty()) return twice;
      }
    }
    return {};
  }

 private:
  using Names = std::set<std::pair<std::string, std::string>>;  // name and uid

  Names running_on(Machine& machine) {
    Names found;
    for (const node::ContainerInfo& container : cluster_.containers(machine)) {
      if (container.state != node::ContainerState::kRunning) continue;
      const std::string& uid = container.labels.at(node::kLabelPodUid);
      if (!faults_.vouched().contains(uid)) found.emplace(container.labels.at(node::kLabelPodName), uid);
    }
    return found;
  }

  std::string compare(const std::string& name, std::set<size_t>& places) {
    std::string first;
    for (auto at = places.begin(); at != places.end();) {
      Machine& machine = cluster_.machines()[*at];
      bool here = false;
      for (const auto& [running, uid] : running_on(machine)) {
        if (running != name) continue;
        here = true;
        std::string who = fmt::format("{} on {}", uid, machine.name);
        if (!first.empty()) return fmt::format("two pods {} run at once: {} and {}", name, first, who);
        first = who;
      }
      at = here ? std::next(at) : places.erase(at);
    }
    return {};
  }

  Cluster& cluster_;
  const NodeFaults& faults_;
  uint64_t starts_seen_ = 0;
  std::unordered_map<std::string, std::set<size_t>> places_;
};

void create_sets(Cluster& cluster, int sets) {
  for (int number = 0; number < sets; ++number) {
    std::string name = fmt::format("set{}", number);
    Value labels = Value::object({{"app", name}});
    Value container = Value::object({{"name", "app"}, {"image", "app:1"}});
    Value spec = Value::object({{"containers", Value::array({std::move(container)})}});
    Value pod = Value::object({{"metadata", Value::object({{"labels", labels}})}, {"spec", std::move(spec)}});
    client::Request request;
    request.verb = client::Verb::kCreate;
    request.group = "apps";
    request.resource = "statefulsets";
    request.ns = "default";
    request.body =
        Value::object({{"apiVersion", "apps/v1"},
                       {"kind", "StatefulSet"},
                       {"metadata", Value::object({{"name", name}})},
                       {"spec", Value::object({{"replicas", static_cast<int64_t>(1 + cluster.random().below(3))},
                                               {"serviceName", name},
                                               {"podManagementPolicy", number % 2 == 0 ? "Parallel" : "OrderedReady"},
                                               {"selector", Value::object({{"matchLabels", labels}})},
                                               {"template", std::move(pod)}})}});
    ASSERT_TRUE(cluster.call(std::move(request)).ok());
  }
}

std::string run(uint64_t seed, const Size& size) {
  bool trace = std::getenv("STEAD_TRACE") != nullptr;
  log::set_level(trace ? log::Level::kDebug : log::Level::kError);
  Cluster cluster(seed, size.machines, {.pod_eviction_timeout = 60s});
  auto invariants = Invariants::watch(cluster);  // for what has to come about in the end
  NodeFaults faults(cluster);
  Identities identities(cluster, faults);
  auto& simulation = cluster.simulation();
  std::string violation;
  auto run_on = [&](Duration span) {
    bool over = false;
    cluster.api_loop().call_after(span, [&over] { over = true; });
    simulation.run_until(
        [&] {
          violation = identities.check();
          if (violation.empty()) violation = invariants->violation();
          return over || !violation.empty();
        },
        span + 1s);
    return violation.empty();
  };
  simulation.run_for(1s);
  create_sets(cluster, size.sets);
  run_on(60s);
  for (int number = 0; number < size.faults && violation.empty(); ++number) {
    std::string told = faults.step();
    if (trace) fmt::print("{:9} -- {}\n", simulation.now().time_since_epoch() / 1ms, told);
    run_on(std::chrono::milliseconds(cluster.random().below(10'000)));
  }
  if (!violation.empty()) return violation;
  if (trace) fmt::print("{:9} -- all is well\n", simulation.now().time_since_epoch() / 1ms);
  faults.mend_all();
  std::string unsettled = "not looked";
  for (Instant end = simulation.now() + kSettleLimit; simulation.now() < end && !unsettled.empty();) {
    if (!run_on(10s)) return violation;
    unsettled = invariants->unsettled();
  }
  return unsettled;
}

TEST(Failover, NoIdentityLivesTwiceAndSetsRecover) {
  Size size = is_long() ? kLarge : kSmall;
  uint64_t first = 1;
  uint64_t last = is_long() ? kSeedsLarge : kSeeds;
  if (const char* one = std::getenv("STEAD_SEED")) first = last = std::strtoull(one, nullptr, 10);
  if (const char* fewer = std::getenv("STEAD_FAULTS")) size.faults = std::atoi(fewer);
  for (uint64_t seed = first; seed <= last; ++seed) {
    EXPECT_EQ(run(seed, size), "") << "seed " << seed << "; again with:\n  " << command_of(seed, is_long());
  }
}

}  // namespace
}  // namespace stead::simulation
