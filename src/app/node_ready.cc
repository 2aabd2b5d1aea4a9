#include "app/node_ready.h"

#include <optional>

#include "object/time.h"

namespace stead::app {

bool is_ready_since(const object::Object& node, WallTime since) {
  for (const object::Value& condition : node.status().at("conditions").items()) {
    if (condition.at("type").as_string() != "Ready") continue;
    std::optional<WallTime> heartbeat = object::parse_time(condition.at("lastHeartbeatTime").as_string());
    // Heartbeats are written in whole seconds.
    return condition.at("status").as_string() == "True" && heartbeat &&
           *heartbeat >= std::chrono::floor<std::chrono::seconds>(since);
  }
  return false;
}

}  // namespace stead::app
