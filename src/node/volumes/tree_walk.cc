#include "node/volumes/tree_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "node/volumes/descriptor.h"

namespace stead::node {
namespace {

constexpr mode_t kDirectoryBits = S_ISGID | 0770;
constexpr mode_t kFileBits = 0660;
constexpr uint64_t kBlockBytes = 512;  // of st_blocks, whatever the file system's own

int open_below(int root, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  return static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
}

// Changes the mode of what was looked at, and of nothing that was put in its place.
void change_mode(const TreeEntry& entry, mode_t mode) {
  Descriptor same(openat(entry.directory, entry.name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat now {};
  if (!same || fstat(same.fd(), &now) != 0 || S_ISLNK(now.st_mode)) return;
  if (now.st_ino != entry.info.st_ino || now.st_dev != entry.info.st_dev) return;
  (void)chmod(fmt::format("/proc/self/fd/{}", same.fd()).c_str(), mode);
}

}  // namespace

Result<void> walk_tree(const std::string& root, const std::function<bool(const TreeEntry&)>& visit) {
  Descriptor top(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) return errno_error("open " + root, errno);
  // Directories are opened again by their path from the top: however deep the tree, few descriptors are open.
  std::vector<std::string> left{"."};
  while (!left.empty()) {
    std::string path = std::move(left.back());
    left.pop_back();
    int descriptor = open_below(top.fd(), path);
    if (descriptor < 0) continue;
    std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(descriptor), closedir);
    if (!listing) {
      close(descriptor);
      continue;
    }
    while (const dirent* found = readdir(listing.get())) {
      if (std::strcmp(found->d_name, ".") == 0 || std::strcmp(found->d_name, "..") == 0) continue;
      TreeEntry entry;
      entry.directory = dirfd(listing.get());
      entry.name = found->d_name;
      if (fstatat(entry.directory, entry.name, &entry.info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (!visit(entry)) return {};
      if (S_ISDIR(entry.info.st_mode)) left.push_back(path + "/" + entry.name);
    }
  }
  return {};
}

uint64_t tree_bytes(const std::string& root) {
  uint64_t bytes = 0;
  std::set<std::pair<dev_t, ino_t>> linked;
  auto count = [&](const TreeEntry& entry) {
    bool again = !S_ISDIR(entry.info.st_mode) && entry.info.st_nlink > 1 &&
                 !linked.emplace(entry.info.st_dev, entry.info.st_ino).second;
    if (!again) bytes += static_cast<uint64_t>(entry.info.st_blocks) * kBlockBytes;
    return true;
  };
  return walk_tree(root, count).ok() ? bytes : 0;
}

Result<void> give_to_group(const std::string& root, int64_t group, bool on_mismatch_only) {
  Descriptor top(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (!top || fstat(top.fd(), &info) != 0) return errno_error("open " + root, errno);
  const auto owner = static_cast<gid_t>(group);
  bool fits = info.st_gid == owner && (info.st_mode & kDirectoryBits) == kDirectoryBits;
  if (fits && on_mismatch_only) return {};
  STEAD_TRY_VOID(walk_tree(root, [owner](const TreeEntry& entry) {
    if (fchownat(entry.directory, entry.name, static_cast<uid_t>(-1), owner, AT_SYMLINK_NOFOLLOW) != 0) return true;
    if (S_ISLNK(entry.info.st_mode)) return true;
    change_mode(entry, (entry.info.st_mode & 07777) | (S_ISDIR(entry.info.st_mode) ? kDirectoryBits : kFileBits));
    return true;
  }));
  // Last: it tells that the rest is done.
  if (fchown(top.fd(), static_cast<uid_t>(-1), owner) != 0) return errno_error("chown " + root, errno);
  if (fchmod(top.fd(), (info.st_mode & 07777) | kDirectoryBits) != 0) return errno_error("chmod " + root, errno);
  return {};
}

}  // namespace stead::node
