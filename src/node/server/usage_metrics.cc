#include "node/server/usage_metrics.h"

#include <array>
#include <map>
#include <set>

#include "base/metrics.h"
#include "node/containers/container_plan.h"

namespace stead::node {
namespace {

using metrics::Family;
using metrics::Label;
using metrics::labels_text;

std::string_view label(const ContainerUsage& usage, const char* name) {
  auto found = usage.labels.find(name);
  return found == usage.labels.end() ? std::string_view() : std::string_view(found->second);
}

double cpu_seconds(const ContainerUsage& usage) { return static_cast<double>(usage.cpu_nanoseconds) / 1e9; }
double memory_bytes(const ContainerUsage& usage) { return static_cast<double>(usage.memory_working_set_bytes); }

int64_t milliseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

struct Sum {
  double cpu_seconds = 0;
  double memory_bytes = 0;
  void add(const ContainerUsage& usage) {
    cpu_seconds += stead::node::cpu_seconds(usage);
    memory_bytes += stead::node::memory_bytes(usage);
  }
};

bool of_a_pod(const ContainerUsage& usage) { return !label(usage, kLabelPodUid).empty(); }

}  // namespace

std::string resource_metrics(const std::vector<ContainerUsage>& usages, WallTime now) {
  int64_t time = milliseconds(now);
  Family cpu{"container_cpu_usage_seconds_total", "CPU time that the container has used.", "counter", {}, time};
  Family memory{"container_memory_working_set_bytes", "Memory that the container has in use.", "gauge", {}, time};
  Family pod_cpu{"pod_cpu_usage_seconds_total", "CPU time that the pod has used.", "counter", {}, time};
  Family pod_memory{"pod_memory_working_set_bytes", "Memory that the pod has in use.", "gauge", {}, time};
  std::map<std::string, Sum> pods;  // by labels
  Sum all;
  for (const ContainerUsage& usage : usages) {
    if (!of_a_pod(usage)) continue;
    std::array<Label, 3> labels = {{{"container", usage.name},
                                    {"namespace", label(usage, kLabelPodNamespace)},
                                    {"pod", label(usage, kLabelPodName)}}};
    cpu.samples.emplace_back(labels_text(labels), cpu_seconds(usage));
    memory.samples.emplace_back(labels_text(labels), memory_bytes(usage));
    pods[labels_text(std::span(labels).subspan(1))].add(usage);
    all.add(usage);
  }
  for (const auto& [labels, sum] : pods) {
    pod_cpu.samples.emplace_back(labels, sum.cpu_seconds);
    pod_memory.samples.emplace_back(labels, sum.memory_bytes);
  }
  const Family families[] = {
      std::move(cpu),
      std::move(memory),
      {"node_cpu_usage_seconds_total", "CPU time that the node has used.", "counter", {{"", all.cpu_seconds}}, time},
      {"node_memory_working_set_bytes", "Memory that the node has in use.", "gauge", {{"", all.memory_bytes}}, time},
      std::move(pod_cpu),
      std::move(pod_memory),
      {"resource_scrape_error", "1 if the containers could not be measured, else 0.", "gauge", {{"", 0}}}};
  return metrics::text_of(families);
}

std::string container_metrics(const std::vector<ContainerUsage>& usages, WallTime now) {
  int64_t time = milliseconds(now);
  Family cpu{"container_cpu_usage_seconds_total", "CPU time that the container has used.", "counter", {}, time};
  Family memory{"container_memory_working_set_bytes", "Memory that the container has in use.", "gauge", {}, time};
  for (const ContainerUsage& usage : usages) {
    if (!of_a_pod(usage)) continue;
    std::vector<Label> labels = {{"container", usage.name},
                                 {"id", usage.container_id},
                                 {"name", usage.container_id},
                                 {"namespace", label(usage, kLabelPodNamespace)},
                                 {"pod", label(usage, kLabelPodName)}};
    memory.samples.emplace_back(labels_text(labels), memory_bytes(usage));
    labels.insert(labels.begin() + 1, {"cpu", "total"});
    cpu.samples.emplace_back(labels_text(labels), cpu_seconds(usage));
  }
  const Family families[] = {std::move(cpu), std::move(memory)};
  return metrics::text_of(families);
}

std::string kubelet_metrics(const std::string& node_name, const std::vector<ContainerUsage>& usages) {
  std::set<std::string_view> pods;
  size_t containers = 0;
  for (const ContainerUsage& usage : usages) {
    if (!of_a_pod(usage)) continue;
    pods.insert(label(usage, kLabelPodUid));
    ++containers;
  }
  std::string node = labels_text(std::array<Label, 1>{{{"node", node_name}}});
  const Family families[] = {
      {"kubelet_node_name", "The node's name.", "gauge", {{std::move(node), 1}}},
      {"kubelet_running_containers",
       "Containers that run.",
       "gauge",
       {{"container_state=\"running\"", static_cast<double>(containers)}}},
      {"kubelet_running_pods", "Pods with containers that run.", "gauge", {{"", static_cast<double>(pods.size())}}}};
  return metrics::text_of(families);
}

}  // namespace stead::node
