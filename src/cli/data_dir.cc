#include "cli/data_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace stead::cli {

Result<DataDir> DataDir::open(const std::string& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) return make_error(Reason::kInvalid, fmt::format("--data-dir {}: {}", path, code.message()));
  if (chmod(path.c_str(), 0700) != 0) return errno_error(fmt::format("--data-dir {}", path), errno);
  std::filesystem::path canonical = std::filesystem::canonical(path, code);
  if (code) return make_error(Reason::kInvalid, fmt::format("--data-dir {}: {}", path, code.message()));
  return DataDir(canonical.string());
}

Result<void> DataDir::lock() {
  int fd = ::open(path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error(path("lock"), errno);
  // The descriptor stays open for the life of the process: the kernel drops the lock when it ends, however it ends.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return make_error(Reason::kConflict, fmt::format("another stead (pid {}) runs on {}", lock_holder(), root_));
  }
  std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) return errno_error(path("lock"), errno);
  return {};
}

int DataDir::lock_holder() const {
  int fd = ::open(path("lock").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return 0;
  int holder = 0;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    flock(fd, LOCK_UN);
  } else {
    char text[32] = {};
    if (pread(fd, text, sizeof text - 1, 0) > 0) holder = std::atoi(text);
  }
  ::close(fd);
  return holder;
}

Result<void> write_file(const std::string& path, const std::string& content, int mode) {
  std::string temporary = path + ".new";
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return errno_error(temporary, errno);
  size_t written = 0;
  while (written < content.size()) {
    ssize_t count = ::write(fd, content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      int failure = errno;
      ::close(fd);
      return errno_error(temporary, failure);
    }
    written += static_cast<size_t>(count);
  }
  bool synced = fchmod(fd, static_cast<mode_t>(mode)) == 0 && fsync(fd) == 0;
  int failure = errno;
  ::close(fd);
  if (!synced) return errno_error(temporary, failure);
  if (rename(temporary.c_str(), path.c_str()) != 0) return errno_error(path, errno);
  return {};
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_error(path, errno);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace stead::cli
