#include "node/server/stats_summary.h"

#include "node/containers/container_plan.h"
#include "object/time.h"

namespace stead::node {
namespace {

using object::Value;

struct Usage {
  uint64_t cpu_nanoseconds = 0;
  uint64_t memory_bytes = 0;
};

void set_usage(Value& subject, const Usage& usage, const std::string& time) {
  subject.set("cpu",
              Value::object({{"time", time}, {"usageCoreNanoSeconds", static_cast<int64_t>(usage.cpu_nanoseconds)}}));
  subject.set("memory", Value::object({{"time", time}, {"workingSetBytes", static_cast<int64_t>(usage.memory_bytes)}}));
}

std::string label(const ContainerUsage& usage, const char* name) {
  auto found = usage.labels.find(name);
  return found == usage.labels.end() ? std::string() : found->second;
}

}  // namespace

Value stats_summary(const std::string& node_name, const std::vector<ContainerUsage>& usages, WallTime now) {
  std::string time = object::format_time(now);
  struct Pod {
    Value document;
    Usage usage;
  };
  std::map<std::string, Pod> pods;  // by uid
  Usage total;
  for (const ContainerUsage& usage : usages) {
    std::string uid = label(usage, kLabelPodUid);
    if (uid.empty()) continue;
    Pod& pod = pods[uid];
    if (pod.document.is_null()) {
      pod.document.set("podRef", Value::object({{"name", label(usage, kLabelPodName)},
                                                {"namespace", label(usage, kLabelPodNamespace)},
                                                {"uid", uid}}));
    }
    Usage own{usage.cpu_nanoseconds, usage.memory_working_set_bytes};
    for (Usage* sum : {&pod.usage, &total}) {
      sum->cpu_nanoseconds += own.cpu_nanoseconds;
      sum->memory_bytes += own.memory_bytes;
    }
    Value container = Value::object({{"name", usage.name}});
    set_usage(container, own, time);
    pod.document["containers"].append(std::move(container));
  }
  Value node = Value::object({{"nodeName", node_name}});
  set_usage(node, total, time);
  Value list = Value::array();
  for (auto& [uid, pod] : pods) {
    set_usage(pod.document, pod.usage, time);
    list.append(std::move(pod.document));
  }
  return Value::object({{"node", std::move(node)}, {"pods", std::move(list)}});
}

}  // namespace stead::node
