#include "simulation/workload.h"

#include <fmt/format.h>

namespace stead::simulation {
namespace {

using client::Request;
using client::Verb;
using object::ObjectPtr;
using object::Value;

constexpr uint64_t kSetsMax = 3;
constexpr uint64_t kReplicasMax = 6;

Request request(Verb verb, std::string group, std::string resource, std::string name = {}) {
  Request made;
  made.verb = verb;
  made.group = std::move(group);
  made.resource = std::move(resource);
  made.ns = "default";
  made.name = std::move(name);
  return made;
}

Value set_document(Random& random, const std::string& name) {
  Value labels = Value::object({{"app", name}});
  Value container = Value::object({{"name", "app"}, {"image", "app:1"}});
  Value spec = Value::object({{"containers", Value::array({std::move(container)})}});
  Value pod = Value::object({{"metadata", Value::object({{"labels", labels}})}, {"spec", std::move(spec)}});
  Value document = Value::object(
      {{"apiVersion", "apps/v1"},
       {"kind", "StatefulSet"},
       {"metadata", Value::object({{"name", name}})},
       {"spec", Value::object({{"replicas", static_cast<int64_t>(random.below(kReplicasMax))},
                               {"serviceName", name},
                               {"podManagementPolicy", random.below(3) == 0 ? "Parallel" : "OrderedReady"},
                               {"selector", Value::object({{"matchLabels", labels}})},
                               {"template", std::move(pod)}})}});
  if (random.below(2) == 0) {
    Value resources = Value::object({{"requests", Value::object({{"storage", "1Mi"}})}});
    Value claim = Value::object({{"metadata", Value::object({{"name", "data"}})},
                                 {"spec", Value::object({{"accessModes", Value::array({"ReadWriteOnce"})},
                                                         {"resources", std::move(resources)}})}});
    document["spec"].set("volumeClaimTemplates", Value::array({std::move(claim)}));
  }
  return document;
}

Machine& any_machine(Cluster& cluster) { return cluster.machines()[cluster.random().below(cluster.machines().size())]; }

std::string told(std::string what, const Result<client::Response>& answer) {
  return answer.ok() ? what : what + ": " + answer.error().message;
}

std::string change_set(Cluster& cluster, const ObjectPtr& set) {
  std::string name(set->name());
  Random& random = cluster.random();
  Request patch = request(Verb::kPatch, "apps", "statefulsets", name);
  switch (random.below(5)) {
    case 0: {
      Request remove = request(Verb::kDelete, "apps", "statefulsets", name);
      return told("delete set " + name, cluster.call(std::move(remove)));
    }
    case 1:
    case 2: {
      auto replicas = static_cast<int64_t>(random.below(kReplicasMax));
      patch.body = Value::object({{"spec", Value::object({{"replicas", replicas}})}});
      return told(fmt::format("scale {} to {}", name, replicas), cluster.call(std::move(patch)));
    }
    default: {
      std::string image = fmt::format("app:{}", random.below(4));
      patch.patch_type = client::PatchType::kStrategicMerge;
      Value container = Value::object({{"name", "app"}, {"image", image}});
      Value spec = Value::object({{"containers", Value::array({std::move(container)})}});
      patch.body = Value::object({{"spec", Value::object({{"template", Value::object({{"spec", std::move(spec)}})}})}});
      return told(fmt::format("update {} to {}", name, image), cluster.call(std::move(patch)));
    }
  }
}

}  // namespace

std::string do_something(Cluster& cluster) {
  Random& random = cluster.random();
  std::vector<ObjectPtr> sets = cluster.list("apps/statefulsets");
  if (sets.size() < kSetsMax && random.below(3) == 0) {
    std::string name = fmt::format("set{}", random.below(kSetsMax));
    Request create = request(Verb::kCreate, "apps", "statefulsets");
    create.body = set_document(random, name);
    return told("create " + name, cluster.call(std::move(create)));
  }
  std::vector<ObjectPtr> pods = cluster.list("/pods");
  if (!pods.empty() && random.below(3) == 0) {
    const ObjectPtr& pod = pods[random.below(pods.size())];
    std::string name(pod->name());
    return told("delete pod " + name, cluster.call(request(Verb::kDelete, "", "pods", name)));
  }
  return sets.empty() ? "nothing" : change_set(cluster, sets[random.below(sets.size())]);
}

std::string break_something(Cluster& cluster) {
  Random& random = cluster.random();
  Machine& machine = any_machine(cluster);
  std::vector<node::ContainerInfo> containers = cluster.containers(machine);
  switch (random.below(6)) {
    case 0:
    case 1: {
      if (containers.empty()) return "nothing";
      const auto& container = containers[random.below(containers.size())];
      machine.runtime->kill_container(container.id, 1);
      return "kill " + container.id + " on " + machine.name;
    }
    case 2: {
      if (containers.empty()) return "nothing";
      const auto& container = containers[random.below(containers.size())];
      machine.runtime->crash_sandbox(container.sandbox_id);
      return "kill " + container.sandbox_id + " on " + machine.name;
    }
    case 3:
      if (!machine.node) {
        cluster.start_node(machine);
        return "start the node part of " + machine.name;
      }
      cluster.stop_node(machine);
      return "stop the node part of " + machine.name;
    case 4:
      cluster.stop_node(machine);
      machine.runtime->crash_machine();
      cluster.start_node(machine);
      return "restart " + machine.name;
    default: {
      bool available = random.below(2) == 0;
      machine.runtime->set_available(available);
      return fmt::format("runtime of {} {}", machine.name, available ? "back" : "away");
    }
  }
}

void mend_everything(Cluster& cluster) {
  cluster.api_faults() = {};
  cluster.set_runtime_faults(0);
  for (Machine& machine : cluster.machines()) {
    machine.runtime->set_available(true);
    if (!machine.node) cluster.start_node(machine);
  }
}

}  // namespace stead::simulation
