#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/node_files.h"
#include "node/volumes/atomic_files.h"

namespace stead::node {
namespace {

namespace fs = std::filesystem;

class DiskFilesTest : public testing::Test {
 protected:
  DiskFilesTest() {
    char name[] = "/tmp/stead-files-XXXXXX";
    directory_ = mkdtemp(name);
    files_ = make_disk_files(directory_);
    paths_ = PodPaths(directory_, "ns", "pod", "uid");
  }
  ~DiskFilesTest() override {
    (void)files_->tear_down(paths_, true).ok();
    fs::remove_all(directory_);
  }
  static std::string read(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  VolumePlan files_volume(std::vector<VolumeFile> files) {
    VolumePlan plan;
    plan.name = "v";
    plan.kind = VolumePlan::Kind::kFiles;
    plan.files = std::move(files);
    return plan;
  }

  std::string directory_;
  std::unique_ptr<NodeFiles> files_;
  PodPaths paths_;
};

TEST_F(DiskFilesTest, FilesSwingAtOnceAndUnchangedOnesStay) {
  ASSERT_TRUE(files_->set_up(paths_, {files_volume({{"a", "1", 0644}, {"d/b", "2", 0600}})}).ok());
  std::string volume = paths_.volume("v");
  EXPECT_EQ(read(volume + "/a"), "1");
  EXPECT_EQ(read(volume + "/d/b"), "2");
  EXPECT_TRUE(fs::is_symlink(volume + "/a"));
  std::string version = fs::read_symlink(volume + "/..data").string();
  ASSERT_TRUE(files_->set_up(paths_, {files_volume({{"a", "1", 0644}, {"d/b", "2", 0600}})}).ok());
  EXPECT_EQ(fs::read_symlink(volume + "/..data").string(), version);
  ASSERT_TRUE(files_->set_up(paths_, {files_volume({{"a", "3", 0644}})}).ok());
  EXPECT_EQ(read(volume + "/a"), "3");
  EXPECT_FALSE(fs::exists(volume + "/d"));
  EXPECT_FALSE(fs::exists(volume + "/" + version));
}

TEST_F(DiskFilesTest, TearDownLeavesNothing) {
  VolumePlan empty;
  empty.name = "e";
  ASSERT_TRUE(files_->set_up(paths_, {files_volume({{"a", "1", 0644}}), empty}).ok());
  ASSERT_TRUE(files_->prepare_container(paths_, "c", 0).ok());
  ASSERT_TRUE(files_->tear_down(paths_, false).ok());
  EXPECT_FALSE(fs::exists(paths_.directory));
  EXPECT_TRUE(fs::exists(paths_.log_directory));
  ASSERT_TRUE(files_->tear_down(paths_, true).ok());
  EXPECT_FALSE(fs::exists(paths_.log_directory));
}

TEST_F(DiskFilesTest, SubPathsDoNotLeaveTheVolume) {
  if (geteuid() != 0) GTEST_SKIP() << "mounts need root";
  std::string volume = directory_ + "/volume";
  fs::create_directories(volume + "/inside");
  std::ofstream(volume + "/inside/file") << "text";
  fs::create_symlink("/etc", volume + "/absolute");
  fs::create_symlink("../..", volume + "/upward");
  fs::create_symlink("inside", volume + "/fine");
  EXPECT_FALSE(files_->sub_path(paths_, "c", 0, volume, "absolute/passwd").ok());
  EXPECT_FALSE(files_->sub_path(paths_, "c", 0, volume, "upward").ok());
  EXPECT_FALSE(files_->sub_path(paths_, "c", 0, volume, "../volume").ok());
  auto fine = files_->sub_path(paths_, "c", 0, volume, "fine");
  if (!fine.ok() && fine.error().message.find("bind mount") != std::string::npos) GTEST_SKIP() << "no mounts here";
  ASSERT_TRUE(fine.ok()) << fine.error().message;
  EXPECT_EQ(read(*fine + "/file"), "text");
  auto made = files_->sub_path(paths_, "c", 1, volume, "new/deep");
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(fs::is_directory(volume + "/new/deep"));
  ASSERT_TRUE(files_->tear_down(paths_, true).ok());
  EXPECT_TRUE(fs::exists(volume + "/inside/file")) << "the volume's content must survive";
}

TEST_F(DiskFilesTest, HostPathTypes) {
  VolumePlan host;
  host.name = "h";
  host.kind = VolumePlan::Kind::kHost;
  host.host_path = directory_ + "/there";
  host.host_path_type = "Directory";
  EXPECT_FALSE(files_->set_up(paths_, {host}).ok());
  host.host_path_type = "DirectoryOrCreate";
  EXPECT_TRUE(files_->set_up(paths_, {host}).ok());
  host.host_path_type = "File";
  EXPECT_FALSE(files_->set_up(paths_, {host}).ok());
}

TEST_F(DiskFilesTest, LastWords) {
  ASSERT_TRUE(files_->prepare_container(paths_, "c", 0).ok());
  std::ofstream(paths_.termination_message("c", 0)) << std::string(5000, 'x');
  EXPECT_EQ(files_->termination_message(paths_, "c", 0).size(), 4096u);
  std::ofstream(paths_.log_file("c", 0)) << "2026-01-02T03:04:05Z stderr F boom\n";
  EXPECT_EQ(files_->log_end(paths_, "c", 0), "boom\n");
  ASSERT_TRUE(files_->rotate_log(paths_, "c", 0, 2).ok());
  EXPECT_EQ(files_->log_bytes(paths_, "c", 0), 0u);
}

}  // namespace
}  // namespace stead::node
