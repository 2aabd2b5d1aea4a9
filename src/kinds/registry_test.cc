#include "kinds/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/descriptors.h"

namespace stead::kinds {
namespace {

using testing::ElementsAre;

TEST(Registry, FindsByResourceAndByKind) {
  const Resource* sets = registry().find("apps", "statefulsets");
  ASSERT_NE(sets, nullptr);
  EXPECT_EQ(sets, registry().find_kind("apps", "StatefulSet"));
  EXPECT_EQ(sets->singular, "statefulset");
  EXPECT_THAT(sets->short_names, ElementsAre("sts"));
  EXPECT_THAT(sets->categories, ElementsAre("all"));
  EXPECT_TRUE(sets->namespaced && sets->status_subresource && sets->scale_subresource && sets->generation);
  EXPECT_EQ(sets->hub().message, find_message("apps.v1", "StatefulSet"));
  EXPECT_EQ(sets->hub().api_version, "apps/v1");

  const Resource* nodes = registry().find("", "nodes");
  ASSERT_NE(nodes, nullptr);
  EXPECT_FALSE(nodes->namespaced);
  EXPECT_EQ(nodes->hub().api_version, "v1");
  EXPECT_EQ(registry().find("", "statefulsets"), nullptr);
}

TEST(Registry, OldVersionsWarnAndNameTheirReplacement) {
  const Resource* sets = registry().find("apps", "statefulsets");
  ASSERT_NE(sets, nullptr);
  ASSERT_EQ(sets->versions.size(), 3u);
  EXPECT_EQ(sets->hub().deprecation, "");
  ASSERT_NE(sets->version("v1beta1"), nullptr);
  EXPECT_EQ(sets->version("v1beta1")->deprecation,
            "apps/v1beta1 StatefulSet is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 StatefulSet");
  EXPECT_EQ(sets->version("v1beta2")->message, find_message("apps.v1beta2", "StatefulSet"));
  EXPECT_EQ(sets->version("v2"), nullptr);
}

TEST(Registry, AnOldVersionMayLiveInAnotherGroup) {
  const Resource* deployments = registry().find("extensions", "deployments");
  ASSERT_NE(deployments, nullptr);
  EXPECT_EQ(deployments, registry().find("apps", "deployments"));
  EXPECT_EQ(deployments, registry().find_kind("extensions", "Deployment"));
  EXPECT_EQ(deployments->hub().api_version, "apps/v1");
  const Version* old = deployments->version("extensions", "v1beta1");
  ASSERT_NE(old, nullptr);
  EXPECT_EQ(old->api_version, "extensions/v1beta1");
  EXPECT_EQ(old->message, find_message("extensions.v1beta1", "Deployment"));
  EXPECT_NE(old, deployments->version("v1beta1")) << "that is apps/v1beta1";
  EXPECT_EQ(old->deprecation,
            "extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 Deployment");
  EXPECT_EQ(deployments->version("extensions", "v1"), nullptr);
  EXPECT_EQ(registry().find("extensions", "statefulsets"), nullptr);
}

TEST(Registry, EveryHubMessageHasMetadata) {
  for (const Resource& resource : registry().resources()) {
    const object::Field* metadata = resource.hub().message->find("metadata");
    ASSERT_NE(metadata, nullptr) << resource.kind;
    EXPECT_EQ(metadata->type.message, find_message("meta.v1", "ObjectMeta")) << resource.kind;
  }
}

}  // namespace
}  // namespace stead::kinds
