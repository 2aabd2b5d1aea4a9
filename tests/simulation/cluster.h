#pragma once

// A whole cluster on virtual time, made of the product's own parts: memory store, cache, API server, controllers,
// scheduler, and node parts on fake runtimes. Every caller of the API goes through a faulty transport, whose faults
// are off to begin with.

#include <memory>
#include <string>
#include <vector>

#include "apiserver/api_server.h"
#include "client/informer_set.h"
#include "controllers/controllers.h"
#include "loop/simulated_loop.h"
#include "node/node.h"
#include "node/runtime/fake_runtime.h"
#include "scheduler/scheduler.h"
#include "store/store.h"
#include "support/faulty_transport.h"

namespace stead::simulation {

// Directories in memory.
class Directories final : public controllers::VolumeDirectories {
 public:
  explicit Directories(loop::Loop& loop) : loop_(loop) {}
  void create(const std::string& volume, const std::string& node,
              std::function<void(Result<std::string>)> done) override;
  void remove(const std::string& volume, const std::string& node, const std::string& path,
              std::function<void(Result<void>)> done) override;

 private:
  loop::Loop& loop_;
};

// One machine. The runtime outlives its node part, which may be restarted.
struct Machine {
  std::string name;
  loop::SimulatedLoop* loop = nullptr;
  ApiFaults faults;                // of its own way to the API, on top of everybody's
  bool started_something = false;  // since somebody last cleared it
  std::unique_ptr<client::ApiTransport> transport;
  std::unique_ptr<node::FakeRuntime> runtime;
  std::unique_ptr<node::Node> node;  // null: down
};

struct ClusterOptions {
  std::chrono::seconds pod_eviction_timeout{300};
};

class Cluster {
 public:
  Cluster(uint64_t seed, int machines, ClusterOptions options = {});
  ~Cluster();

  loop::Simulation& simulation() { return simulation_; }
  Random& random() { return simulation_.random(); }
  cache::Cache& cache() { return *cache_; }
  loop::SimulatedLoop& api_loop() { return api_loop_; }
  std::vector<Machine>& machines() { return machines_; }
  ApiFaults& api_faults() { return api_faults_; }
  // In a thousand calls of the runtimes, so many fail.
  void set_runtime_faults(uint64_t in_a_thousand) { runtime_faults_ = in_a_thousand; }

  void start_node(Machine& machine);
  void stop_node(Machine& machine) { machine.node.reset(); }
  // Controllers and scheduler forget everything and begin anew, as when the server restarts.
  void restart_control();

  // A person's call, without faults; runs the simulation until the answer is there.
  Result<client::Response> call(client::Request request);
  std::vector<object::ObjectPtr> list(std::string_view resource) const;

  // Rises whenever a runtime may have started a container.
  uint64_t starts() const { return starts_; }
  // Containers as the runtime has them, faults aside.
  std::vector<node::ContainerInfo> containers(Machine& machine);

 private:
  void make_machine(int number);
  void start_control();
  void make_first_objects();

  loop::Simulation simulation_;
  ApiFaults api_faults_;
  uint64_t runtime_faults_ = 0;
  uint64_t starts_ = 0;
  bool looking_ = false;
  loop::SimulatedLoop& api_loop_ = simulation_.make_loop();
  loop::SimulatedLoop* control_loop_ = nullptr;
  loop::SimulatedLoop& person_loop_ = simulation_.make_loop();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<cache::Cache> cache_;
  std::unique_ptr<apiserver::ApiServer> api_;
  std::unique_ptr<client::ApiTransport> person_;
  std::unique_ptr<client::ApiTransport> controllers_transport_;
  std::unique_ptr<client::ApiTransport> scheduler_transport_;
  std::unique_ptr<Directories> directories_;
  std::unique_ptr<client::InformerSet> informers_;
  std::unique_ptr<client::EventRecorder> scheduler_events_;
  std::unique_ptr<controllers::Controllers> controllers_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  node::NoFiles files_;
  node::AgreeableDialer dialer_;
  std::vector<Machine> machines_;  // reserved: they stay where they are
};

}  // namespace stead::simulation
