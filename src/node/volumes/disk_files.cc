// NodeFiles on the disk.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/logs/log_line.h"
#include "node/node_files.h"
#include "node/volumes/atomic_files.h"
#include "node/volumes/descriptor.h"
#include "node/volumes/tree_walk.h"

namespace stead::node {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTerminationMessageMax = 4096;
constexpr size_t kLogEndBytes = 2048;
constexpr size_t kLogEndLines = 80;

Error system_error(const std::string& what) { return errno_error(what, errno); }

Result<void> make_directory(const std::string& path, mode_t mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return errno_error("mkdir " + path, error.value());
  // The umask must not decide who may read.
  if (chmod(path.c_str(), mode) != 0) return system_error("chmod " + path);
  return {};
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<void> write_file(const std::string& path, const std::string& content, mode_t mode) {
  // In place: the file is bind-mounted into running containers, which a rename would not reach.
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return system_error("open " + path);
  if (fchmod(file.fd(), mode) != 0) return system_error("chmod " + path);
  size_t written = 0;
  while (written < content.size()) {
    ssize_t count = write(file.fd(), content.data() + written, content.size() - written);
    if (count < 0) return system_error("write " + path);
    written += static_cast<size_t>(count);
  }
  return {};
}

// The last `bytes` of a file.
std::string read_end(const std::string& path, size_t bytes) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return {};
  in.seekg(0, std::ios::end);
  auto size = static_cast<size_t>(in.tellg());
  in.seekg(static_cast<std::streamoff>(size - std::min(size, bytes)));
  std::string text(std::min(size, bytes), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

// Mount points at or below `directory`, deepest first.
std::vector<std::string> mounts_below(const std::string& directory) {
  std::vector<std::string> found;
  std::ifstream lines("/proc/self/mountinfo");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;
    std::string path;
    for (size_t i = 0; i < word.size(); ++i) {
      // Space, tab, newline and backslash are written in octal (proc(5)).
      if (word[i] == '\\' && i + 3 < word.size()) {
        path += static_cast<char>(std::stoi(word.substr(i + 1, 3), nullptr, 8));
        i += 3;
      } else {
        path += word[i];
      }
    }
    if (path == directory || path.starts_with(directory + "/")) found.push_back(std::move(path));
  }
  std::reverse(found.begin(), found.end());
  return found;
}

Result<void> check_host_path(const std::string& path, const std::string& type) {
  struct stat info {};
  bool there = stat(path.c_str(), &info) == 0;
  auto refuse = [&](const char* what) {
    return make_error(Reason::kInvalid, fmt::format("hostPath type check failed: {} is not a {}", path, what));
  };
  if (type.empty()) return {};
  if (type == "DirectoryOrCreate") {
    if (!there) return make_directory(path, 0755);
    return S_ISDIR(info.st_mode) ? Result<void>() : refuse("directory");
  }
  if (type == "FileOrCreate") {
    if (!there) return write_file(path, "", 0644);
    return S_ISREG(info.st_mode) ? Result<void>() : refuse("file");
  }
  if (type == "Directory") return there && S_ISDIR(info.st_mode) ? Result<void>() : refuse("directory");
  if (type == "File") return there && S_ISREG(info.st_mode) ? Result<void>() : refuse("file");
  if (type == "Socket") return there && S_ISSOCK(info.st_mode) ? Result<void>() : refuse("socket file");
  if (type == "CharDevice") return there && S_ISCHR(info.st_mode) ? Result<void>() : refuse("character device");
  if (type == "BlockDevice") return there && S_ISBLK(info.st_mode) ? Result<void>() : refuse("block device");
  return make_error(Reason::kInvalid, fmt::format("unknown hostPath type \"{}\"", type));
}

int open_beneath(int root, const std::string& path, uint64_t flags) {
  open_how how{};
  how.flags = flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
}

// Opens `path` below `root`, making directories that are missing.
Result<Descriptor> open_or_make(int root, const std::string& path) {
  Descriptor found(open_beneath(root, path, O_PATH | O_CLOEXEC));
  if (found) return found;
  if (errno != ENOENT) return system_error("subPath " + path);
  struct stat info {};
  fstat(root, &info);
  std::string parent;
  for (const fs::path& part : fs::path(path)) {
    if (part.empty() || part == ".") continue;
    std::string here = parent.empty() ? part.string() : parent + "/" + part.string();
    Descriptor known(open_beneath(root, here, O_PATH | O_CLOEXEC));
    if (!known) {
      if (errno != ENOENT) return system_error("subPath " + here);
      Descriptor above(open_beneath(root, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!above) return system_error("subPath " + parent);
      if (mkdirat(above.fd(), part.c_str(), 0750) != 0 && errno != EEXIST) return system_error("mkdir " + here);
      Descriptor made(openat(above.fd(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!made) return system_error("subPath " + here);
      // As open to the container's user as the volume itself.
      fchmod(made.fd(), info.st_mode & 07777);
      if (fchown(made.fd(), static_cast<uid_t>(-1), info.st_gid) != 0) return system_error("chown " + here);
    }
    parent = std::move(here);
  }
  Descriptor made(open_beneath(root, path, O_PATH | O_CLOEXEC));
  if (!made) return system_error("subPath " + path);
  return made;
}

class DiskFiles final : public NodeFiles {
 public:
  DiskFiles(std::string data_dir, std::unique_ptr<MountCalls> mounts)
      : data_dir_(std::move(data_dir)), mounts_(std::move(mounts)) {}

  Result<void> set_up(const PodPaths& paths, const std::vector<VolumePlan>& volumes) override {
    STEAD_TRY_VOID(make_directory(paths.directory, 0750));
    STEAD_TRY_VOID(make_directory(paths.log_directory, 0755));
    for (const VolumePlan& volume : volumes) {
      auto done = set_up_volume(volume, paths.volume(volume.name));
      if (!done.ok()) {
        return done.error().with_context(fmt::format("MountVolume.SetUp failed for volume \"{}\" ", volume.name));
      }
    }
    return {};
  }

  Result<void> tear_down(const PodPaths& paths, bool with_logs) override {
    for (const std::string& mount : mounts_below(paths.directory)) {
      if (umount2(mount.c_str(), UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
        return system_error("umount " + mount);
      }
    }
    std::error_code error;
    fs::remove_all(paths.directory, error);
    if (error) return errno_error("rm " + paths.directory, error.value());
    if (!with_logs) return {};
    fs::remove_all(paths.log_directory, error);
    // Of a pod of which only the uid is known.
    std::string suffix = paths.directory.substr(paths.directory.find_last_of('/') + 1);
    if (!paths.log_directory.ends_with("/__" + suffix)) return {};
    for (auto at = fs::directory_iterator(data_dir_ + "/pod-logs", error); !error && at != fs::directory_iterator();
         at.increment(error)) {
      if (at->path().filename().string().ends_with("_" + suffix)) fs::remove_all(at->path(), error);
    }
    return {};
  }

  Result<void> write_hosts(const PodPaths& paths, const std::string& text) override {
    STEAD_TRY_VOID(make_directory(paths.directory, 0750));
    return write_file(paths.hosts_file(), text, 0644);
  }

  Result<void> prepare_container(const PodPaths& paths, const std::string& container, uint32_t attempt) override {
    STEAD_TRY_VOID(make_directory(paths.log_directory + "/" + container, 0755));
    STEAD_TRY_VOID(make_directory(paths.directory + "/containers/" + container, 0750));
    if (attempt > 1) drop_logs_before(paths, container, attempt - 1);
    // Any user of the image may write it.
    return write_file(paths.termination_message(container, attempt), "", 0666);
  }

  Result<std::string> sub_path(const PodPaths& paths, const std::string& container, size_t mount_index,
                               const std::string& volume_path, const std::string& sub_path) override {
    Descriptor root(open(volume_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return system_error("open " + volume_path);
    STEAD_TRY(source, open_or_make(root.fd(), sub_path));
    struct stat info {};
    if (fstat(source.fd(), &info) != 0) return system_error("stat " + sub_path);
    std::string target = paths.sub_path(container, mount_index);
    STEAD_TRY_VOID(make_directory(target.substr(0, target.find_last_of('/')), 0750));
    // Left by an earlier instance of the container.
    while (umount2(target.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
    }
    if (S_ISDIR(info.st_mode)) {
      STEAD_TRY_VOID(make_directory(target, 0750));
    } else {
      STEAD_TRY_VOID(write_file(target, "", 0640));
    }
    std::string handle = fmt::format("/proc/self/fd/{}", source.fd());
    if (mount(handle.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
      return system_error("bind mount of subPath " + sub_path);
    }
    return target;
  }

  std::string termination_message(const PodPaths& paths, const std::string& container, uint32_t attempt) override {
    std::string path = paths.termination_message(container, attempt);
    // The container wrote it: a link put in its place would read a file of the host's.
    Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!file || fstat(file.fd(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    std::string text(kTerminationMessageMax, '\0');
    ssize_t count = read(file.fd(), text.data(), text.size());
    text.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return text;
  }

  std::string log_end(const PodPaths& paths, const std::string& container, uint32_t attempt) override {
    std::string raw = read_end(paths.log_file(container, attempt), kLogEndBytes * 8);
    std::string text = plain_log_text(raw);
    size_t start = text.size() > kLogEndBytes ? text.size() - kLogEndBytes : 0;
    size_t lines = 0;
    for (size_t at = text.size(); at > start + 1; --at) {
      if (text[at - 2] != '\n') continue;
      if (++lines < kLogEndLines) continue;
      start = at - 1;
      break;
    }
    return text.substr(start);
  }

  uint64_t log_bytes(const PodPaths& paths, const std::string& container, uint32_t attempt) override {
    struct stat info {};
    return stat(paths.log_file(container, attempt).c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  }

  Result<void> rotate_log(const PodPaths& paths, const std::string& container, uint32_t attempt, size_t keep) override {
    std::string current = paths.log_file(container, attempt);
    std::string prefix = fs::path(current).filename().string() + ".";
    std::vector<int> old;
    std::error_code error;
    for (auto at = fs::directory_iterator(fs::path(current).parent_path(), error);
         !error && at != fs::directory_iterator(); at.increment(error)) {
      std::string name = at->path().filename().string();
      if (name.starts_with(prefix)) old.push_back(std::atoi(name.c_str() + prefix.size()));
    }
    std::sort(old.begin(), old.end());
    int next = old.empty() ? 1 : old.back() + 1;
    if (rename(current.c_str(), fmt::format("{}.{:06}", current, next).c_str()) != 0) {
      return system_error("rename " + current);
    }
    old.push_back(next);
    for (size_t i = 0; i + keep < old.size(); ++i) unlink(fmt::format("{}.{:06}", current, old[i]).c_str());
    return {};
  }

  void drop_logs_before(const PodPaths& paths, const std::string& container, uint32_t attempt) override {
    std::error_code error;
    for (auto at = fs::directory_iterator(paths.log_directory + "/" + container, error);
         !error && at != fs::directory_iterator(); at.increment(error)) {
      std::string name = at->path().filename().string();
      if (static_cast<uint32_t>(std::atoi(name.c_str())) < attempt) unlink(at->path().c_str());
    }
  }

  uint64_t bytes_below(const std::string& directory) override { return tree_bytes(directory); }

  std::string host_hosts_file() override { return read_file("/etc/hosts"); }

  std::vector<std::string> pod_uids() override {
    std::vector<std::string> uids;
    std::error_code error;
    for (auto at = fs::directory_iterator(data_dir_ + "/pods", error); !error && at != fs::directory_iterator();
         at.increment(error)) {
      uids.push_back(at->path().filename().string());
    }
    return uids;
  }

 private:
  Result<void> set_up_volume(const VolumePlan& volume, const std::string& path) {
    switch (volume.kind) {
      case VolumePlan::Kind::kHost:
        STEAD_TRY_VOID(check_host_path(volume.host_path, volume.host_path_type));
        if (!volume.fs_group || volume.read_only) return {};
        return give_to_group(volume.host_path, *volume.fs_group, volume.group_on_mismatch_only);
      case VolumePlan::Kind::kFiles:
        STEAD_TRY_VOID(make_directory(path, 0755));
        return write_atomically(path, volume.files, volume.fs_group);
      case VolumePlan::Kind::kNfs:
        if (!mounts_->is_mounted(path)) STEAD_TRY_VOID(make_directory(path, 0750));
        return mount_nfs(*mounts_, volume.nfs, path);
      case VolumePlan::Kind::kMemory:
        STEAD_TRY_VOID(make_memory(path, volume.size_limit));
        break;
      case VolumePlan::Kind::kDirectory:
        break;
    }
    // Only when new: a running pod may have changed its volume's mode.
    std::error_code error;
    bool fresh = volume.kind == VolumePlan::Kind::kMemory || !fs::exists(path, error);
    if (!fresh) return {};
    if (volume.kind == VolumePlan::Kind::kDirectory) STEAD_TRY_VOID(make_directory(path, 0777));
    return volume.fs_group ? give_to_group(path, *volume.fs_group, true) : Result<void>();
  }

  Result<void> make_memory(const std::string& path, int64_t size_limit) {
    auto mounts = mounts_below(path);
    if (std::find(mounts.begin(), mounts.end(), path) != mounts.end()) return {};
    STEAD_TRY_VOID(make_directory(path, 0777));
    std::string options = "mode=0777";
    if (size_limit > 0) options += fmt::format(",size={}", size_limit);
    if (mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
      return system_error("mount tmpfs at " + path);
    }
    return {};
  }

  const std::string data_dir_;
  const std::unique_ptr<MountCalls> mounts_;
};

}  // namespace

std::unique_ptr<NodeFiles> make_disk_files(const std::string& data_dir, std::unique_ptr<MountCalls> mounts) {
  if (!mounts) mounts = make_system_mount_calls();
  return std::make_unique<DiskFiles>(data_dir, std::move(mounts));
}

}  // namespace stead::node
