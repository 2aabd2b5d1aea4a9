#include "app/node_ready.h"

#include <optional>

#include "kinds/meta/conditions.h"
#include "object/time.h"

namespace stead::app {

bool is_ready_since(const object::Object& node, WallTime since) {
  const object::Value* ready = kinds::find_condition(node.status(), "Ready");
  if (ready == nullptr || ready->at("status").as_string() != "True") return false;
  std::optional<WallTime> heartbeat = object::parse_time(ready->at("lastHeartbeatTime").as_string());
  // Heartbeats are written in whole seconds.
  return heartbeat && *heartbeat >= std::chrono::floor<std::chrono::seconds>(since);
}

}  // namespace stead::app
