#include "node/runtime/mount_table.h"

#include <sys/mount.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace stead::node {

namespace {

// mountinfo writes space, tab, newline and backslash as \ooo.
std::string unescaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_at_or_below(const std::string& path, const std::string& directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

Result<std::vector<MountPoint>> list_mounts_of(const std::string& mountinfo_path) {
  std::ifstream file(mountinfo_path);
  if (!file) return errno_error(mountinfo_path, errno);
  std::vector<MountPoint> mounts;
  std::string line;
  while (std::getline(file, line)) {
    // proc(5): id parent dev root point options [optional…] - type source super-options
    std::istringstream fields(line);
    std::string skipped, point, field;
    fields >> skipped >> skipped >> skipped >> skipped >> point >> skipped;
    MountPoint mount{unescaped(point), "", false};
    while (fields >> field && field != "-") mount.shared |= field.starts_with("shared:");
    fields >> mount.type;
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Result<std::vector<MountPoint>> list_mounts() { return list_mounts_of("/proc/self/mountinfo"); }

const MountPoint* mount_of(const std::vector<MountPoint>& mounts, const std::string& path) {
  const MountPoint* best = nullptr;
  for (const MountPoint& mount : mounts) {
    if (!is_at_or_below(path, mount.path)) continue;
    if (best == nullptr || mount.path.size() >= best->path.size()) best = &mount;
  }
  return best;
}

Result<void> share_directory(const std::string& directory) {
  STEAD_TRY(mounts, list_mounts());
  const MountPoint* mount = mount_of(mounts, directory);
  if (mount != nullptr && mount->shared) return {};
  if (mount == nullptr || mount->path != directory) {
    if (::mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      return errno_error("bind mount of " + directory, errno);
    }
  }
  if (::mount(nullptr, directory.c_str(), nullptr, MS_SHARED, nullptr) != 0) {
    return errno_error("sharing mounts below " + directory, errno);
  }
  return {};
}

Result<void> unmount_below(const std::string& directory) {
  STEAD_TRY(mounts, list_mounts());
  Result<void> result;
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (!is_at_or_below(mount->path, directory)) continue;
    if (umount2(mount->path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
      result = errno_error("unmount " + mount->path, errno);
    }
  }
  return result;
}

}  // namespace stead::node
