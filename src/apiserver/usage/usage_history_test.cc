#include "apiserver/usage/usage_history.h"

#include <gtest/gtest.h>

#include "object/codec.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

const WallTime kStart = *object::parse_time("2026-01-01T12:00:00Z");

object::Value summary(const std::string& nanoseconds) {
  return *object::parse_json(
      R"({"pods":[{"podRef":{"uid":"u"},"containers":[{"name":"c","cpu":{"usageCoreNanoSeconds":)" + nanoseconds +
      R"(},"memory":{"workingSetBytes":4096}}]}]})");
}

TEST(UsageHistory, RatesAreBetweenTheLastTwoSamples) {
  UsageHistory history;
  EXPECT_FALSE(history.rate("n", "u", "c", kStart).has_value());
  history.add("n", summary("5000000000"), kStart + std::chrono::seconds(10));
  auto since_start = history.rate("n", "u", "c", kStart);
  ASSERT_TRUE(since_start.has_value());
  EXPECT_EQ(since_start->cpu_nano_cores, 500'000'000);
  EXPECT_EQ(since_start->memory_bytes, 4096);
  history.add("n", summary("15000000000"), kStart + std::chrono::seconds(20));
  EXPECT_EQ(history.rate("n", "u", "c", kStart)->cpu_nano_cores, 1'000'000'000);
  EXPECT_EQ(history.rate("n", "u", "c", kStart)->window, std::chrono::seconds(10));
  // Another instance since: its use counts from its own start.
  history.add("n", summary("1000000000"), kStart + std::chrono::seconds(30));
  EXPECT_EQ(history.rate("n", "u", "c", kStart + std::chrono::seconds(25))->cpu_nano_cores, 200'000'000);
  history.forget("n");
  EXPECT_FALSE(history.rate("n", "u", "c", kStart).has_value());
}

}  // namespace
}  // namespace stead::apiserver
