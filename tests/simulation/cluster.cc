#include "simulation/cluster.h"

#include <fmt/format.h>

#include "base/check.h"
#include "store/memory/memory_store.h"

namespace stead::simulation {

using client::Request;
using client::Verb;
using object::Value;

void Directories::create(const std::string& volume, const std::string&, std::function<void(Result<std::string>)> done) {
  loop_.post([done = std::move(done), volume] { done("/volumes/" + volume); });
}

void Directories::remove(const std::string&, const std::string&, const std::string&,
                         std::function<void(Result<void>)> done) {
  loop_.post([done = std::move(done)] { done({}); });
}

Cluster::Cluster(uint64_t seed, int machines, ClusterOptions options) : simulation_(seed) {
  store_ = store::open_memory_store(api_loop_);
  cache_ = std::move(*cache::Cache::open(*store_, api_loop_));
  apiserver::ApiServerOptions api_options;
  api_options.pod_eviction_timeout = options.pod_eviction_timeout;
  api_ = std::move(*apiserver::ApiServer::make(*store_, *cache_, api_loop_, random(), api_options));
  person_ = api_->transport({"person", "", {"system:masters"}}, person_loop_);
  make_first_objects();
  start_control();
  machines_.reserve(static_cast<size_t>(machines));
  for (int number = 1; number <= machines; ++number) make_machine(number);
}

void Cluster::start_control() {
  control_loop_ = &simulation_.make_loop();
  directories_ = std::make_unique<Directories>(*control_loop_);
  auto faulty = [this](const std::string& user, loop::Loop& loop) {
    return make_faulty_transport(api_->transport({user, "", {"system:masters"}}, loop), loop, random(), api_faults_);
  };
  controllers_transport_ = faulty("system:kube-controller-manager", *control_loop_);
  scheduler_transport_ = faulty("system:kube-scheduler", *control_loop_);
  informers_ = std::make_unique<client::InformerSet>(*controllers_transport_, *control_loop_);
  scheduler_events_ =
      std::make_unique<client::EventRecorder>(*scheduler_transport_, *control_loop_, "default-scheduler");
  controllers_ = std::make_unique<controllers::Controllers>(
      *controllers_transport_, *control_loop_, *informers_, *directories_,
      controllers::ControllersOptions{controllers::served_resources(kinds::registry()), "CA"});
  scheduler_ =
      std::make_unique<scheduler::Scheduler>(*scheduler_transport_, *control_loop_, *scheduler_events_, *informers_);
  control_loop_->post([this] {
    controllers_->start();
    scheduler_->start();
    informers_->start();
  });
}

void Cluster::restart_control() {
  control_loop_->kill();
  scheduler_.reset();
  controllers_.reset();
  scheduler_events_.reset();
  informers_.reset();
  start_control();
}

// In the order in which things refer to each other; loops and what they hold go last.
Cluster::~Cluster() {
  for (Machine& machine : machines_) machine.node.reset();
  scheduler_.reset();
  controllers_.reset();
  informers_.reset();
}

void Cluster::make_machine(int number) {
  Machine& machine = machines_.emplace_back();
  machine.name = fmt::format("node-{}", number);
  machine.loop = &simulation_.make_loop();
  auto way =
      make_faulty_transport(api_->transport({"system:node:" + machine.name, "", {"system:nodes"}}, *machine.loop),
                            *machine.loop, random(), api_faults_);
  machine.transport = make_faulty_transport(std::move(way), *machine.loop, random(), machine.faults);
  node::FakeRuntimeOptions options;
  options.address_prefix = fmt::format("10.42.{}", number);
  options.on_call = [this, &machine](std::string_view call, std::string_view subject) -> Result<void> {
    if (looking_) return {};
    if (call == "start_container") {
      ++starts_;
      machine.started_something = true;
    }
    if (runtime_faults_ > 0 && random().below(1000) < runtime_faults_) {
      return make_error(Reason::kUnavailable, fmt::format("{} {} failed (simulated)", call, subject));
    }
    return {};
  };
  machine.runtime = std::make_unique<node::FakeRuntime>(*machine.loop, std::move(options));
  start_node(machine);
}

void Cluster::start_node(Machine& machine) {
  node::NodeOptions options;
  options.node_name = machine.name;
  options.node_ip = "192.0.2." + machine.name.substr(machine.name.find('-') + 1);
  options.data_dir = "/simulated";
  machine.node = std::make_unique<node::Node>(*machine.transport, *machine.loop, simulation_.worker_pool(),
                                              *machine.runtime, files_, dialer_, options);
  machine.node->start();
}

void Cluster::make_first_objects() {
  for (const char* name : {"default", "kube-node-lease"}) {
    Request request;
    request.verb = Verb::kCreate;
    request.resource = "namespaces";
    request.body = Value::object({{"metadata", Value::object({{"name", name}})}});
    STEAD_CHECK(call(std::move(request)).ok());
  }
}

Result<client::Response> Cluster::call(Request request) {
  std::optional<Result<client::Response>> answer;
  person_->call(std::move(request), [&](Result<client::Response> response) { answer = std::move(response); });
  STEAD_CHECK(simulation_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(10)));
  return std::move(*answer);
}

std::vector<object::ObjectPtr> Cluster::list(std::string_view resource) const {
  std::vector<object::ObjectPtr> all;
  cache_->snapshot(resource).objects.visit_from("", [&](const std::string&, const object::ObjectPtr& object) {
    all.push_back(object);
    return true;
  });
  return all;
}

std::vector<node::ContainerInfo> Cluster::containers(Machine& machine) {
  looking_ = true;
  auto found = machine.runtime->list_containers();
  looking_ = false;
  return found.ok() ? std::move(*found) : std::vector<node::ContainerInfo>{};
}

}  // namespace stead::simulation
