#include "node/pods/pod_resize.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::node {
namespace {

using object::Value;

PodShape shape_of(const std::string& resources, const std::string& status = "{}", const std::string& policy = "[]") {
  return read_pod_shape(object::make_object(
      *object::parse_json(R"({"metadata":{"name":"p","namespace":"n","uid":"u","generation":3},"spec":{"containers":[)"
                          R"({"name":"c","image":"i","resizePolicy":)" +
                          policy + R"(,"resources":)" + resources + R"(}]},"status":)" + status + "}"),
      1));
}

TEST(PodResize, KeepsWhatWasAllocatedUntilItIsGranted) {
  PodShape before = shape_of(R"({"requests":{"cpu":"1"}})");
  EXPECT_FALSE(wants_resize(before));
  PodShape after = shape_of(R"({"requests":{"cpu":"2"}})");
  keep_allocation(after, before);
  ASSERT_TRUE(wants_resize(after));
  EXPECT_EQ(allocated_requests(after).cpu_milli, 1000);
  EXPECT_EQ(wanted_requests(after).cpu_milli, 2000);
  // The same amount in other words asks for nothing.
  PodShape back = shape_of(R"({"requests":{"cpu":"1000m"}})");
  keep_allocation(back, after);
  EXPECT_FALSE(wants_resize(back));
  allocate_wanted(after);
  EXPECT_EQ(allocated_requests(after).cpu_milli, 2000);
}

TEST(PodResize, ReadsTheAllocationBackFromTheStatus) {
  const std::string status = R"({"containerStatuses":[{"name":"c","allocatedResources":{"cpu":"1","memory":"1Gi"},)"
                             R"("resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"memory":"2Gi"}}}]})";
  PodShape shape = shape_of(R"({"requests":{"cpu":"2","memory":"1Gi"},"limits":{"memory":"3Gi","cpu":"4"}})", status);
  recall_allocation(shape);
  ASSERT_TRUE(wants_resize(shape));
  EXPECT_EQ(object::to_json(shape.containers[0].resources()),
            R"({"requests":{"cpu":"1","memory":"1Gi"},"limits":{"memory":"2Gi"}})");
  PodShape same = shape_of(R"({"requests":{"cpu":"1","memory":"1024Mi"},"limits":{"memory":"2Gi"}})", status);
  recall_allocation(same);
  EXPECT_FALSE(wants_resize(same));
}

TEST(PodResize, Judges) {
  auto amounts = [](int64_t cpu, int64_t memory) {
    kinds::Resources made;
    made.cpu_milli = cpu;
    made.memory = memory;
    return made;
  };
  kinds::Resources node = amounts(4000, 100);
  EXPECT_EQ(judge_resize(amounts(2000, 50), amounts(1000, 50), amounts(2000, 50), node).reason, "");
  ResizeVerdict later = judge_resize(amounts(2500, 50), amounts(1000, 50), amounts(2000, 50), node);
  EXPECT_EQ(later.reason, "Deferred");
  EXPECT_EQ(later.message, "Node didn't have enough resource: cpu, requested: 2500, used: 2000, capacity: 4000");
  ResizeVerdict never = judge_resize(amounts(1000, 101), amounts(1000, 50), amounts(0, 0), node);
  EXPECT_EQ(never.reason, "Infeasible");
  EXPECT_EQ(never.message, "Node didn't have enough capacity: memory, requested: 101, capacity: 100");
  // Less is always possible.
  EXPECT_EQ(judge_resize(amounts(500, 50), amounts(1000, 50), amounts(5000, 50), node).reason, "");
}

TEST(PodResize, ThePolicyOfTheChangedResourceCounts) {
  const std::string policy = R"([{"resourceName":"memory","restartPolicy":"RestartContainer"},)"
                             R"({"resourceName":"cpu","restartPolicy":"NotRequired"}])";
  PodShape shape = shape_of(R"({"limits":{"cpu":"2","memory":"1Gi"}})", "{}", policy);
  auto actual = [](const char* text) { return *object::parse_json(text); };
  EXPECT_FALSE(resize_restarts(shape.containers[0], actual(R"({"limits":{"cpu":"1","memory":"1Gi"}})")));
  EXPECT_TRUE(resize_restarts(shape.containers[0], actual(R"({"limits":{"cpu":"1","memory":"2Gi"}})")));
}

TEST(PodResize, TellsWhatWasAskedFor) {
  PodShape shape = shape_of(R"({"limits":{"cpu":"2"}})");
  EXPECT_EQ(resize_message("Pod resize Deferred", shape, 3, "no room"),
            R"(Pod resize Deferred: {"containers":[{"name":"c","resources":{"limits":{"cpu":"2"}}}],"generation":3,)"
            R"("error":"no room"})");
}

}  // namespace
}  // namespace stead::node
