#include "node/volumes/nfs_mount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "node/node_files.h"

namespace stead::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Call {
  std::string source, target, type;
  unsigned long flags;
  std::string data;
};

class RecordingMountCalls final : public MountCalls {
 public:
  Result<Addresses> resolve(const std::string& host) override {
    if (host == "nowhere") return make_error(Reason::kUnavailable, "NFS server \"nowhere\": Name or service not known");
    return Addresses{"192.0.2.7", "192.0.2.10"};
  }
  int mount(const std::string& source, const std::string& target, const std::string& type, unsigned long flags,
            const std::string& data) override {
    calls.push_back({source, target, type, flags, data});
    int code = answer(data);
    if (code == 0) mounted.push_back(target);
    return code;
  }
  bool is_mounted(const std::string& target) override {
    return std::find(mounted.begin(), mounted.end(), target) != mounted.end();
  }
  std::vector<Call> calls;
  std::vector<std::string> mounted;
  std::function<int(const std::string& data)> answer = [](const std::string&) { return 0; };
};

TEST(MountNfs, TheKernelGetsTheServersAddress) {
  RecordingMountCalls calls;
  ASSERT_TRUE(mount_nfs(calls, {.server = "files.example.com", .path = "/exports/assets"}, "/t").ok());
  ASSERT_EQ(calls.calls.size(), 1u);
  const Call& call = calls.calls[0];
  EXPECT_EQ(call.source, "files.example.com:/exports/assets");
  EXPECT_EQ(call.target, "/t");
  EXPECT_EQ(call.type, "nfs");
  EXPECT_EQ(call.flags, 0u);
  EXPECT_EQ(call.data, "vers=4.2,addr=192.0.2.7,clientaddr=192.0.2.10");
  ASSERT_TRUE(mount_nfs(calls, {.server = "files.example.com", .path = "/exports/assets"}, "/t").ok());
  EXPECT_EQ(calls.calls.size(), 1u) << "what is mounted is left alone";
}

TEST(MountNfs, OptionsAreTheKernelsOrNfss) {
  RecordingMountCalls calls;
  NfsExport what{.server = "fd00::7", .path = "/", .options = {"noatime,hard", "nfsvers=4.1", "timeo=600", "defaults"}};
  what.read_only = true;
  ASSERT_TRUE(mount_nfs(calls, what, "/t").ok());
  ASSERT_EQ(calls.calls.size(), 1u);
  EXPECT_EQ(calls.calls[0].source, "[fd00::7]:/");
  EXPECT_EQ(calls.calls[0].flags, static_cast<unsigned long>(MS_NOATIME | MS_RDONLY));
  EXPECT_EQ(calls.calls[0].data, "hard,timeo=600,vers=4.1,addr=192.0.2.7,clientaddr=192.0.2.10");
}

TEST(MountNfs, OlderVersionsAreTriedInTurn) {
  RecordingMountCalls calls;
  calls.answer = [](const std::string& data) { return data.starts_with("vers=3") ? 0 : EPROTONOSUPPORT; };
  ASSERT_TRUE(mount_nfs(calls, {.server = "s", .path = "/p"}, "/t").ok());
  std::vector<std::string> versions;
  for (const Call& call : calls.calls) versions.push_back(call.data.substr(0, call.data.find(',')));
  EXPECT_THAT(versions, ElementsAre("vers=4.2", "vers=4.1", "vers=4", "vers=3"));
  EXPECT_EQ(calls.calls.back().data, "vers=3,addr=192.0.2.7,mountaddr=192.0.2.7,mountproto=tcp");
  calls.calls.clear();
  EXPECT_FALSE(mount_nfs(calls, {.server = "s", .path = "/p", .options = {"vers=4.0"}}, "/other").ok());
  EXPECT_EQ(calls.calls.size(), 1u) << "a version asked for is the only one";
}

TEST(MountNfs, FailuresSayWhatToDo) {
  RecordingMountCalls calls;
  auto message = [&](int code) {
    calls.answer = [code](const std::string&) { return code; };
    return mount_nfs(calls, {.server = "s", .path = "/p"}, "/t").error().message;
  };
  EXPECT_THAT(message(ENODEV), HasSubstr("this node's kernel has no NFS client"));
  EXPECT_THAT(message(EACCES), HasSubstr("s:/p: access denied by the server"));
  EXPECT_THAT(message(ENOENT), HasSubstr("the server exports no such path"));
  EXPECT_THAT(message(EPROTONOSUPPORT), HasSubstr("none of the versions"));
  EXPECT_THAT(message(ETIMEDOUT), HasSubstr("s:/p"));
  EXPECT_THAT(mount_nfs(calls, {.server = "nowhere", .path = "/p"}, "/t").error().message, HasSubstr("nowhere"));
}

TEST(MountNfs, APodsVolumeIsMountedOnceBelowItsDirectory) {
  char name[] = "/tmp/stead-nfs-XXXXXX";
  std::string directory = mkdtemp(name);
  auto owned = std::make_unique<RecordingMountCalls>();
  RecordingMountCalls& calls = *owned;
  auto files = make_disk_files(directory, std::move(owned));
  PodPaths paths(directory, "ns", "pod", "uid");
  VolumePlan plan;
  plan.name = "assets";
  plan.kind = VolumePlan::Kind::kNfs;
  plan.nfs = {.server = "192.0.2.7", .path = "/exports/assets"};
  ASSERT_TRUE(files->set_up(paths, {plan}).ok());
  ASSERT_TRUE(files->set_up(paths, {plan}).ok());
  ASSERT_EQ(calls.calls.size(), 1u);
  EXPECT_EQ(calls.calls[0].target, paths.volume("assets"));
  EXPECT_TRUE(std::filesystem::is_directory(paths.volume("assets")));
  calls.mounted.clear();
  calls.answer = [](const std::string&) { return ENODEV; };
  EXPECT_THAT(files->set_up(paths, {plan}).error().message,
              HasSubstr("MountVolume.SetUp failed for volume \"assets\""));
  std::filesystem::remove_all(directory);
}

// The system's own calls, as far as a kernel without NFS client goes.
TEST(MountNfs, TheSystemCallIsMade) {
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED LOUDLY: mount(2) needs root";
  std::ifstream known("/proc/filesystems");
  for (std::string line; std::getline(known, line);) {
    if (line.ends_with("\tnfs")) GTEST_SKIP() << "SKIPPED LOUDLY: this kernel has an NFS client, but no server to try";
  }
  char name[] = "/tmp/stead-nfs-XXXXXX";
  std::string directory = mkdtemp(name);
  auto calls = make_system_mount_calls();
  EXPECT_FALSE(calls->is_mounted(directory));
  EXPECT_TRUE(calls->is_mounted("/proc"));
  Result<void> done = mount_nfs(*calls, {.server = "127.0.0.1", .path = "/"}, directory);
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.error().message, HasSubstr("127.0.0.1:/"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace stead::node
