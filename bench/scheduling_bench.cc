// How long the scheduler needs for many pods over many nodes, everything that it asks of the API included: a memory
// store, the real API server and the scheduler on one thread, so that seconds are seconds of one core.
//
//   scheduling_bench [NODES PODS]      default: 100 nodes and 1,000 pods (budget 1 s), 1,000 and 10,000 (budget 20 s)
//
// Fails when a budget is passed.

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "apiserver/api_server.h"
#include "base/check.h"
#include "base/log.h"
#include "client/informer_set.h"
#include "loop/simulated_loop.h"
#include "scheduler/scheduler.h"
#include "store/memory/memory_store.h"

namespace stead::bench {
namespace {

using object::Value;

constexpr int kPodsOfASet = 100;

struct Size {
  int nodes;
  int pods;
  double budget_s;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Counts pods that get their node.
struct Bound final : cache::ChangeSink {
  int count = 0;
  void on_changes(const std::vector<cache::Change>& changes) override {
    for (const cache::Change& change : changes) {
      if (!change.before || !change.after) continue;
      if (change.before->spec().at("nodeName") != change.after->spec().at("nodeName")) ++count;
    }
  }
  void on_end(Error) override { STEAD_CHECK(false); }
};

class Bench {
 public:
  Bench() {
    store_ = store::open_memory_store(loop_);
    cache_ = std::move(*cache::Cache::open(*store_, loop_));
    api_ = std::move(*apiserver::ApiServer::make(*store_, *cache_, loop_, simulation_.random(), {}));
    transport_ = api_->transport({"system:kube-scheduler", "", {"system:masters"}}, loop_);
    informers_ = std::make_unique<client::InformerSet>(*transport_, loop_);
    events_ = std::make_unique<client::EventRecorder>(*transport_, loop_, "default-scheduler");
    scheduler_ = std::make_unique<scheduler::Scheduler>(*transport_, loop_, *events_, *informers_);
    create("namespaces", "", Value::object({{"metadata", Value::object({{"name", "default"}})}}));
  }

  // Seconds of CPU from the scheduler's start until every pod has a node.
  double run(const Size& size) {
    for (int number = 0; number < size.nodes; ++number) make_node(number);
    for (int number = 0; number < size.pods; ++number) make_pod(number);
    double begin = cpu_seconds();
    scheduler_->start();
    informers_->start();
    auto bound = std::make_shared<Bound>();
    auto subscription = cache_->subscribe("/pods", cache_->revision(), bound);
    STEAD_CHECK(simulation_.run_until([&] { return bound->count >= size.pods; }, std::chrono::minutes(10)));
    return cpu_seconds() - begin;
  }

 private:
  void call(client::Request request) {
    bool answered = false;
    transport_->call(std::move(request), [&](const Result<client::Response>& response) {
      STEAD_CHECK(response.ok());
      answered = true;
    });
    STEAD_CHECK(simulation_.run_until([&] { return answered; }, std::chrono::seconds(10)));
  }

  void create(const char* resource, const char* ns, Value body) {
    client::Request request;
    request.verb = client::Verb::kCreate;
    request.resource = resource;
    request.ns = ns;
    request.body = std::move(body);
    call(std::move(request));
  }

  void make_node(int number) {
    std::string name = fmt::format("node-{}", number);
    Value capacity = Value::object({{"cpu", "32"}, {"memory", "64Gi"}, {"pods", "110"}});
    Value ready = Value::object({{"type", "Ready"}, {"status", "True"}});
    Value labels = Value::object({{"kubernetes.io/hostname", name}});
    labels.set("topology.kubernetes.io/zone", fmt::format("zone-{}", number % 3));
    create("nodes", "", Value::object({{"metadata", Value::object({{"name", name}, {"labels", std::move(labels)}})}}));
    client::Request report;
    report.verb = client::Verb::kPatch;
    report.patch_type = client::PatchType::kMerge;
    report.resource = "nodes";
    report.subresource = "status";
    report.name = name;
    report.body = Value::object({{"status", Value::object({{"capacity", capacity},
                                                           {"allocatable", capacity},
                                                           {"conditions", Value::array({std::move(ready)})}})}});
    call(std::move(report));
  }

  void make_pod(int number) {
    std::string app = fmt::format("app-{}", number / kPodsOfASet);
    Value requests = Value::object({{"cpu", "100m"}, {"memory", "64Mi"}});
    Value container = Value::object({{"name", "main"},
                                     {"image", "example.invalid/app:1"},
                                     {"resources", Value::object({{"requests", std::move(requests)}})}});
    create("pods", "default",
           Value::object({{"metadata", Value::object({{"name", fmt::format("{}-{}", app, number % kPodsOfASet)},
                                                      {"labels", Value::object({{"app", app}})}})},
                          {"spec", Value::object({{"containers", Value::array({std::move(container)})}})}}));
  }

  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<apiserver::ApiServer> api_;
  std::unique_ptr<client::ApiTransport> transport_;
  std::unique_ptr<client::InformerSet> informers_;
  std::unique_ptr<client::EventRecorder> events_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
};

bool measure(const Size& size) {
  double taken = Bench().run(size);
  bool kept = taken <= size.budget_s;
  printf("%d pods over %d nodes: %.2f s (budget %.0f s)%s\n", size.pods, size.nodes, taken, size.budget_s,
         kept ? "" : " PASSED OVER");
  return kept;
}

}  // namespace
}  // namespace stead::bench

int main(int argc, char** argv) {
  stead::log::set_level(stead::log::Level::kError);
  if (argc == 3) return stead::bench::measure({std::atoi(argv[1]), std::atoi(argv[2]), 1e9}) ? 0 : 1;
  bool kept = stead::bench::measure({100, 1000, 1});
  return stead::bench::measure({1000, 10'000, 20}) && kept ? 0 : 1;
}
