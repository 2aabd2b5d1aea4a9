#include "app/node_ready.h"

#include <gtest/gtest.h>

#include "object/time.h"

namespace stead::app {
namespace {

using object::Value;

object::ObjectPtr node(const char* status, const char* heartbeat) {
  Value ready = Value::object({{"type", "Ready"}, {"status", status}, {"lastHeartbeatTime", heartbeat}});
  return object::make_object(
      Value::object({{"metadata", Value::object({{"name", "a"}})},
                     {"status", Value::object({{"conditions", Value::array({std::move(ready)})}})}}),
      1);
}

TEST(NodeReadyTest, OnlyAHeartbeatOfThisLifeCounts) {
  WallTime begun = *object::parse_time("2026-01-01T10:00:00.7Z");
  EXPECT_TRUE(is_ready_since(*node("True", "2026-01-01T10:00:00Z"), begun));
  EXPECT_TRUE(is_ready_since(*node("True", "2026-01-01T10:00:01Z"), begun));
  EXPECT_FALSE(is_ready_since(*node("True", "2026-01-01T09:59:59Z"), begun));
  EXPECT_FALSE(is_ready_since(*node("False", "2026-01-01T10:00:01Z"), begun));
  EXPECT_FALSE(is_ready_since(*node("True", ""), begun));
  EXPECT_FALSE(is_ready_since(*object::make_object(Value::object(), 1), begun));
}

}  // namespace
}  // namespace stead::app
