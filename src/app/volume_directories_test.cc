#include "app/volume_directories.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace stead::app {
namespace {

class VolumeDirectoriesTest : public testing::Test {
 protected:
  VolumeDirectoriesTest() { root_ = mkdtemp(name_); }
  ~VolumeDirectoriesTest() override { std::filesystem::remove_all(root_); }

  char name_[32] = "/tmp/volumes-XXXXXX";
  std::string root_;
};

TEST_F(VolumeDirectoriesTest, MadeForAnyUserAndRemovedWithAllThatIsInThem) {
  Result<std::string> path = make_volume_directory(root_, "pvc-1");
  ASSERT_TRUE(path.ok());
  EXPECT_EQ(*path, root_ + "/pvc-1");
  struct stat facts {};
  ASSERT_EQ(stat(path->c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0777u);
  EXPECT_TRUE(make_volume_directory(root_, "pvc-1").ok()) << "again";
  std::filesystem::create_directories(*path + "/deep/deeper");
  EXPECT_TRUE(remove_volume_directory(root_, *path).ok());
  EXPECT_FALSE(std::filesystem::exists(*path));
  EXPECT_TRUE(remove_volume_directory(root_, *path).ok()) << "nothing left to do";
}

TEST_F(VolumeDirectoriesTest, NothingElsewhereIsTouched) {
  for (const char* name : {"", ".", "..", "a/b", "../other"}) EXPECT_FALSE(make_volume_directory(root_, name).ok());
  for (const std::string& path :
       {root_, root_ + "/a/b", root_ + "/.", root_ + "/..", root_ + "/", std::string("/tmp/other"), std::string()}) {
    EXPECT_FALSE(remove_volume_directory(root_, path).ok()) << path;
  }
}

}  // namespace
}  // namespace stead::app
