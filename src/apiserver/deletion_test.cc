#include "apiserver/deletion.h"

#include <gtest/gtest.h>

namespace stead::apiserver {
namespace {

using object::Value;

class DeletionTest : public testing::Test {
 protected:
  // What a delete makes of an object of that kind: "removed", or its finalizers.
  static std::string after_delete(std::string_view group, std::string_view resource, const std::string& policy,
                                  const Value& finalizers = Value::array()) {
    Call call;
    call.resource = kinds::registry().find(group, resource);
    Value document = Value::object({{"metadata", Value::object({{"name", "x"}, {"namespace", "default"}})}});
    if (!finalizers.empty()) document.set({"metadata", "finalizers"}, finalizers);
    DeleteOptions options;
    options.propagation = policy;
    auto deletion = decide_deletion(call, *object::make_object(document, 1), options, WallTime{});
    if (!deletion.ok()) return deletion.error().message;
    if (deletion->remove) return "removed";
    std::string text;
    for (const Value& one : deletion->marked->at({"metadata", "finalizers"}).items()) {
      text += (text.empty() ? "" : ",") + std::string(one.as_string());
    }
    return text;
  }
};

TEST_F(DeletionTest, JobsAndReplicationControllersOrphanUnlessToldOtherwise) {
  using Kind = std::pair<std::string_view, std::string_view>;
  for (auto [group, resource] : {Kind("batch", "jobs"), Kind("", "replicationcontrollers")}) {
    EXPECT_EQ(after_delete(group, resource, ""), "orphan") << resource;
    EXPECT_EQ(after_delete(group, resource, "Background"), "removed") << resource;
    EXPECT_EQ(after_delete(group, resource, "Foreground"), "foregroundDeletion") << resource;
    EXPECT_EQ(after_delete(group, resource, "", Value::array({"foregroundDeletion"})), "foregroundDeletion")
        << resource;
  }
  EXPECT_EQ(after_delete("apps", "replicasets", ""), "removed");
}

TEST_F(DeletionTest, WhoDeletesAJobWithoutAPolicyIsWarned) {
  const kinds::Resource& jobs = *kinds::registry().find("batch", "jobs");
  EXPECT_TRUE(deletion_warning(jobs, {}));
  EXPECT_FALSE(deletion_warning(jobs, {.propagation = "Orphan"}));
  EXPECT_FALSE(deletion_warning(*kinds::registry().find("", "replicationcontrollers"), {}));
}

}  // namespace
}  // namespace stead::apiserver
