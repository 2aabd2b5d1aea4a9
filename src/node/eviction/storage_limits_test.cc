#include "node/eviction/storage_limits.h"

#include <gtest/gtest.h>

#include "object/codec.h"

namespace stead::node {
namespace {

StorageLimits limits_of(const std::string& spec) {
  return read_storage_limits(read_pod_shape(object::make_object(
      *object::parse_json(R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":)" + spec + "}"), 1)));
}

TEST(StorageLimits, OfVolumes) {
  StorageLimits limits = limits_of(
      R"({"containers":[{"name":"c"}],"volumes":[{"name":"m","emptyDir":{"medium":"Memory","sizeLimit":"1Mi"}},)"
      R"({"name":"free","emptyDir":{}},{"name":"v","emptyDir":{"sizeLimit":"1Mi"}}]})");
  ASSERT_TRUE(limits.any());
  EXPECT_FALSE(limits.counts_containers());
  EXPECT_EQ(limits.disk_volumes, (std::vector<std::string>{"free", "v"}));
  EXPECT_EQ(storage_excess(limits, {{{"free", 9 << 20}, {"v", 1 << 20}}, {}, {}}), "");
  EXPECT_EQ(storage_excess(limits, {{{"v", (1 << 20) + 1}}, {}, {}}),
            "Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". ");
}

TEST(StorageLimits, OfContainersAndTheirPod) {
  StorageLimits limits = limits_of(R"({"containers":[{"name":"a","resources":{"limits":{"ephemeral-storage":"2Mi"}}},)"
                                   R"({"name":"b","resources":{"limits":{"ephemeral-storage":"3Mi"}}}],)"
                                   R"("volumes":[{"name":"v","emptyDir":{}}]})");
  EXPECT_EQ(storage_excess(limits, {{}, {{"a", 1 << 20}}, {{"a", 1 << 20}}}), "");
  EXPECT_EQ(storage_excess(limits, {{}, {{"a", 1 << 20}}, {{"a", (1 << 20) + 1}}}),
            "Container a exceeded its local ephemeral storage limit \"2Mi\". ");
  EXPECT_EQ(storage_excess(limits, {{{"v", 4 << 20}}, {{"a", 1 << 20}}, {{"b", 1}}}),
            "Pod ephemeral local storage usage exceeds the total limit of containers 5242880. ");
  EXPECT_FALSE(limits_of(R"({"containers":[{"name":"a"}]})").any());
}

}  // namespace
}  // namespace stead::node
