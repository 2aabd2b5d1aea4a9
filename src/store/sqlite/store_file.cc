#include "store/sqlite/store_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace stead::store {
namespace {

std::string read_holder(int lock) {
  char text[32] = {};
  ssize_t count = ::pread(lock, text, sizeof text - 1, 0);
  return count > 0 ? " (process " + std::string(text, static_cast<size_t>(count)) + ")" : std::string();
}

Result<void> make_file(const std::string& path) {
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno != EEXIST) return errno_error("store " + path, errno);
  if (file < 0) {
    if (::chmod(path.c_str(), 0600) != 0) return errno_error("store " + path, errno);
    return {};
  }
  ::close(file);
  std::string parent = std::filesystem::absolute(path).parent_path();
  int directory = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno_error("store " + parent, errno);
  int synced = ::fsync(directory);
  int problem = errno;
  ::close(directory);
  if (synced != 0) return errno_error("store " + parent, problem);
  return {};
}

}  // namespace

Result<StoreFile> StoreFile::claim(const std::string& path) {
  std::string lock_path = path + ".lock";
  int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return errno_error("store " + lock_path, errno);
  StoreFile claimed(lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error("store " + lock_path, errno);
    return make_error(Reason::kUnavailable,
                      "store " + path + ": in use by another stead" + read_holder(lock) + "; stop it first");
  }
  std::string holder = std::to_string(::getpid());
  if (::ftruncate(lock, 0) != 0 || ::pwrite(lock, holder.data(), holder.size(), 0) < 0) {
    return errno_error("store " + lock_path, errno);
  }
  STEAD_TRY_VOID(make_file(path));
  return claimed;
}

StoreFile::~StoreFile() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace stead::store
