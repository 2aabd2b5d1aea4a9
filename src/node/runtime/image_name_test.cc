#include "node/runtime/image_name.h"

#include <gtest/gtest.h>

namespace stead::node {
namespace {

const std::string kDigest = "@sha256:" + std::string(64, 'a');

TEST(ImageNameTest, NamesAreNormalisedAsDockerDoes) {
  const std::pair<std::string, std::string> cases[] = {
      {"busybox", "docker.io/library/busybox:latest"},
      {"busybox:1.36", "docker.io/library/busybox:1.36"},
      {"lgorissen/terra10-monitor", "docker.io/lgorissen/terra10-monitor:latest"},
      {"quay.io/coreos/etcd:v3.4", "quay.io/coreos/etcd:v3.4"},
      {"localhost/image", "localhost/image:latest"},
      {"localhost:5000/image", "localhost:5000/image:latest"},
      {"[fd00::1]:5000/image", "[fd00::1]:5000/image:latest"},
      {"stead.dev/pause:1", "stead.dev/pause:1"},
      {"a__b/c--d.e_f:V_1.x", "docker.io/a__b/c--d.e_f:V_1.x"},
      {"busybox" + kDigest, "docker.io/library/busybox" + kDigest},
      {"busybox:1" + kDigest, "docker.io/library/busybox:1" + kDigest},
  };
  for (const auto& [name, normal] : cases) EXPECT_EQ(normal_image_name(name).value(), normal) << name;
}

TEST(ImageNameTest, WhatIsNoReferenceIsRefused) {
  const std::string cases[] = {"",
                               "...",
                               "a b",
                               "x/",
                               "/x",
                               "x:",
                               "café",
                               "a//b",
                               "a..b",
                               "a___b",
                               "-a",
                               "a-",
                               "x:.1",
                               "x@sha",
                               "x@sha256:abc",
                               "h_t.io/x",
                               "host:port/x",
                               "host:/x",
                               "[/x.y",
                               "x:a:b",
                               "a.-b.io/x",
                               "x" + kDigest + "@",
                               "x:" + std::string(129, 'a')};
  for (const std::string& bad : cases) {
    auto refused = normal_image_name(bad);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_EQ(refused.error().message, "invalid reference format") << bad;
  }
  EXPECT_EQ(normal_image_name("Busy/box").ok(), true) << "a domain, as it has a capital";
  EXPECT_EQ(normal_image_name("Busybox").error().message,
            "invalid reference format: repository name (Busybox) must be lowercase");
}

}  // namespace
}  // namespace stead::node
