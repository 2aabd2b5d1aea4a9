// Why a node is not Ready, or takes no pods.

#include <fmt/format.h>

#include "cli/why/explain.h"

namespace stead::cli::why {

Cause explain_node(const ClusterView& view, const object::Object& node) {
  (void)view;
  bool ready = condition_holds(node, "Ready");
  Cause cause{fmt::format("node {} is {}", node.name(), ready ? "Ready" : "not Ready"), {}, {}};
  const Value& condition = condition_of(node, "Ready");
  if (!ready) {
    std::string_view message = condition.at("message").as_string();
    bool silent = condition.at("status").as_string() == "Unknown";
    cause.causes.push_back(
        {message.empty() ? "it has not reported yet" : std::string(message),
         silent ? fmt::format("start stead on {} again, or kubectl delete node {} if it is gone for good", node.name(),
                              node.name())
                : std::string(),
         {}});
  }
  if (node.spec().at("unschedulable").as_bool()) {
    cause.causes.push_back(
        {"it is cordoned: no pod is given to it", fmt::format("kubectl uncordon {}", node.name()), {}});
  }
  for (std::string_view pressure : {"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}) {
    if (!condition_holds(node, pressure)) continue;
    cause.causes.push_back(
        {fmt::format("{}: {}", pressure, condition_of(node, pressure).at("message").as_string()), {}, {}});
  }
  return cause;
}

}  // namespace stead::cli::why
