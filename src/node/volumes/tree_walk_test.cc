#include "node/volumes/tree_walk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace stead::node {
namespace {

namespace fs = std::filesystem;

class TreeWalkTest : public testing::Test {
 protected:
  TreeWalkTest() {
    char name[] = "/tmp/stead-tree-XXXXXX";
    base_ = mkdtemp(name);
    root_ = base_ + "/root";
    fs::create_directories(root_ + "/a/b");
    std::ofstream(root_ + "/a/b/file") << std::string(100'000, 'x');
    std::ofstream(base_ + "/outside") << "o";
    fs::permissions(base_ + "/outside", fs::perms::owner_read);
  }
  ~TreeWalkTest() override { fs::remove_all(base_); }
  struct stat info(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(lstat(path.c_str(), &found), 0) << path;
    return found;
  }

  std::string base_, root_;
};

TEST_F(TreeWalkTest, CountsEachFileOnceAndFollowsNoLink) {
  uint64_t before = tree_bytes(root_);
  EXPECT_GE(before, 100'000u);
  EXPECT_LT(before, 200'000u);
  fs::create_hard_link(root_ + "/a/b/file", root_ + "/again");
  fs::create_directory_symlink("/usr", root_ + "/elsewhere");
  EXPECT_LT(tree_bytes(root_), before + 20'000);
  EXPECT_EQ(tree_bytes(root_ + "/missing"), 0u);
}

TEST_F(TreeWalkTest, AGroupGetsWhatIsInsideAndNothingElse) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  fs::create_symlink(base_ + "/outside", root_ + "/link");
  ASSERT_TRUE(give_to_group(root_, 4711, true).ok());
  EXPECT_EQ(info(root_ + "/a/b/file").st_gid, 4711u);
  EXPECT_EQ(info(root_ + "/a/b/file").st_mode & 0660, 0660u);
  EXPECT_EQ(info(root_ + "/a").st_mode & (S_ISGID | 0770), S_ISGID | 0770u);
  EXPECT_EQ(info(root_).st_gid, 4711u);
  EXPECT_NE(info(base_ + "/outside").st_gid, 4711u);
  EXPECT_EQ(info(base_ + "/outside").st_mode & 07777, 0400u);
}

TEST_F(TreeWalkTest, ARootThatFitsEndsItOnlyWhereThatIsAskedFor) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ASSERT_TRUE(give_to_group(root_, 4711, true).ok());
  std::ofstream(root_ + "/late") << "x";
  ASSERT_EQ(chown((root_ + "/late").c_str(), 0, 0), 0);
  ASSERT_TRUE(give_to_group(root_, 4711, true).ok());
  EXPECT_EQ(info(root_ + "/late").st_gid, 0u);
  ASSERT_TRUE(give_to_group(root_, 4711, false).ok());
  EXPECT_EQ(info(root_ + "/late").st_gid, 4711u);
}

}  // namespace
}  // namespace stead::node
