#include "node/volumes/atomic_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "node/volumes/descriptor.h"

namespace stead::node {
namespace {

namespace fs = std::filesystem;

constexpr char kData[] = "..data";

Error system_error(const std::string& what) { return errno_error(what, errno); }

mode_t file_mode(const VolumeFile& file, std::optional<int64_t> group) {
  return static_cast<mode_t>(file.mode & 0777) | (group ? 0440 : 0);
}

bool same_file(const std::string& path, const VolumeFile& file, std::optional<int64_t> group) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || (info.st_mode & 0777) != file_mode(file, group)) return false;
  if (static_cast<size_t>(info.st_size) != file.content.size()) return false;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str() == file.content;
}

bool is_current(const std::string& directory, const std::vector<VolumeFile>& files, std::optional<int64_t> group) {
  std::string data = directory + "/" + kData;
  std::error_code error;
  if (!fs::exists(data, error)) return false;
  size_t count = 0;
  for (auto at = fs::recursive_directory_iterator(fs::canonical(data, error), error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_regular_file(error)) ++count;
  }
  if (count != files.size()) return false;
  for (const VolumeFile& file : files) {
    if (!same_file(data + "/" + file.path, file, group)) return false;
  }
  return true;
}

Result<void> write_content(const std::string& directory, const VolumeFile& file, std::optional<int64_t> group) {
  std::string path = directory + "/" + file.path;
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return errno_error("mkdir for " + path, error.value());
  Descriptor out(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out) return system_error("open " + path);
  size_t written = 0;
  while (written < file.content.size()) {
    ssize_t count = write(out.fd(), file.content.data() + written, file.content.size() - written);
    if (count < 0) return system_error("write " + path);
    written += static_cast<size_t>(count);
  }
  if (group && fchown(out.fd(), static_cast<uid_t>(-1), static_cast<gid_t>(*group)) != 0) {
    return system_error("chown " + path);
  }
  if (fchmod(out.fd(), file_mode(file, group)) != 0) return system_error("chmod " + path);
  return {};
}

Result<void> replace_link(const std::string& target, const std::string& link) {
  std::string fresh = link + "_tmp";
  unlink(fresh.c_str());
  if (symlink(target.c_str(), fresh.c_str()) != 0) return system_error("symlink " + fresh);
  if (rename(fresh.c_str(), link.c_str()) != 0) return system_error("rename " + link);
  return {};
}

}  // namespace

Result<void> write_atomically(const std::string& directory, const std::vector<VolumeFile>& files,
                              std::optional<int64_t> group) {
  if (is_current(directory, files, group)) return {};
  std::string fresh = directory + "/..v_XXXXXX";
  if (mkdtemp(fresh.data()) == nullptr) return system_error("mkdtemp " + fresh);
  if (chmod(fresh.c_str(), 0755) != 0) return system_error("chmod " + fresh);
  for (const VolumeFile& file : files) STEAD_TRY_VOID(write_content(fresh, file, group));
  std::string version = fresh.substr(directory.size() + 1);
  STEAD_TRY_VOID(replace_link(version, directory + "/" + kData));
  // Names are only made and removed; their content swings with ..data.
  std::set<std::string> wanted;
  for (const VolumeFile& file : files) wanted.insert(file.path.substr(0, file.path.find('/')));
  std::error_code error;
  for (const std::string& name : wanted) {
    std::string link = directory + "/" + name;
    if (fs::is_symlink(link, error)) continue;
    STEAD_TRY_VOID(replace_link(std::string(kData) + "/" + name, link));
  }
  std::vector<fs::path> stale;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    std::string name = entry.path().filename().string();
    if (name == kData || name == version || wanted.contains(name)) continue;
    stale.push_back(entry.path());
  }
  for (const fs::path& path : stale) fs::remove_all(path, error);
  return {};
}

}  // namespace stead::node
