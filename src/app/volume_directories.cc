#include "app/volume_directories.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace stead::app {
namespace {

Result<std::string> make_directory(const std::string& root, const std::string& volume) {
  if (volume.empty() || volume.find('/') != std::string::npos || volume == "." || volume == "..") {
    return make_error(Reason::kInvalid, fmt::format("volume name \"{}\" is no file name", volume));
  }
  std::string path = root + "/" + volume;
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) return make_error(Reason::kUnavailable, fmt::format("{}: {}", path, code.message()));
  if (chmod(path.c_str(), 0777) != 0) return errno_error(path, errno);
  return path;
}

Result<void> remove_directory(const std::string& root, const std::string& path) {
  if (std::filesystem::path(path).parent_path() != std::filesystem::path(root)) {
    return make_error(Reason::kInvalid, fmt::format("{} is not a volume below {}", path, root));
  }
  std::error_code code;
  std::filesystem::remove_all(path, code);
  if (code) return make_error(Reason::kUnavailable, fmt::format("{}: {}", path, code.message()));
  return {};
}

}  // namespace

void LocalVolumeDirectories::create(const std::string& volume, const std::string& /*node*/,
                                    std::function<void(Result<std::string> path)> done) {
  pool_.run([this, volume, done = std::move(done)] {
    loop_.post([done, made = make_directory(root_, volume)] { done(made); });
  });
}

void LocalVolumeDirectories::remove(const std::string& /*volume*/, const std::string& path,
                                    std::function<void(Result<void>)> done) {
  pool_.run([this, path, done = std::move(done)] {
    loop_.post([done, removed = remove_directory(root_, path)] { done(removed); });
  });
}

}  // namespace stead::app
