#include "node/runtime/containerd_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/runtime/cni_config.h"
#include "node/runtime/mount_table.h"

namespace stead::node {
namespace {

using testing::HasSubstr;

TEST(ContainerdConfigTest, EverythingIsBelowTheDataDir) {
  const ContainerdLayout layout("/data dir/\"x\"");
  const std::string config =
      containerd_config(layout, {.sandbox_image = "stead.dev/pause:1", .restrict_oom_score_adj = true});
  EXPECT_THAT(config, HasSubstr(R"(root = "/data dir/\"x\"/containerd/root")"));
  EXPECT_THAT(config, HasSubstr(R"(address = "/data dir/\"x\"/containerd/containerd.sock")"));
  EXPECT_THAT(config, HasSubstr("restrict_oom_score_adj = true"));
  EXPECT_THAT(config, HasSubstr("netns_mounts_under_state_dir = true"));
  EXPECT_NE(config, containerd_config(layout, {.sandbox_image = "stead.dev/pause:2", .restrict_oom_score_adj = true}));
}

TEST(ContainerdConfigTest, InstancesHaveControlGroupsOfTheirOwn) {
  EXPECT_EQ(cgroup_parent_of("/a"), cgroup_parent_of("/a"));
  EXPECT_NE(cgroup_parent_of("/a"), cgroup_parent_of("/b"));
  EXPECT_THAT(cgroup_parent_of("/a"), testing::MatchesRegex("/stead-[0-9a-f]+"));
}

TEST(CniConfigTest, NamesRangeAndMtu) {
  const std::string conflist =
      cni_conflist({.pod_range = "10.42.3.0/24", .mtu = 1450, .ipam_data_dir = "/data/cni/ipam"});
  EXPECT_THAT(conflist, HasSubstr(R"("ranges": [[{"subnet": "10.42.3.0/24"}]])"));
  EXPECT_THAT(conflist, HasSubstr(R"("mtu": 1450)"));
  EXPECT_THAT(conflist, HasSubstr(R"("dataDir": "/data/cni/ipam")"));
}

TEST(MountTableTest, TheNarrowestMountHoldsAPath) {
  const std::vector<MountPoint> mounts{{"/", "ext4", false}, {"/var", "ext4", true}, {"/variant", "ext4", false}};
  EXPECT_EQ(mount_of(mounts, "/var/lib")->path, "/var");
  EXPECT_EQ(mount_of(mounts, "/variants")->path, "/");
  EXPECT_EQ(mount_of(mounts, "/variant")->path, "/variant");
}

}  // namespace
}  // namespace stead::node
