#include "apiserver/audit/audit_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

constexpr size_t kWaitingBytesMax = size_t{8} << 20;

class FileAuditLog final : public AuditLog {
 public:
  explicit FileAuditLog(AuditLogOptions options) : options_(std::move(options)) {}
  ~FileAuditLog() override {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    if (file_ >= 0) close(file_);
  }

  Result<void> open_file() {
    file_ = open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) {
      return make_error(Reason::kBadRequest, fmt::format("audit log {}: {}", options_.path, std::strerror(errno)));
    }
    struct stat info {};
    size_ = fstat(file_, &info) == 0 ? static_cast<size_t>(info.st_size) : 0;
    return {};
  }
  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void write(std::string line) override {
    std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() >= kWaitingBytesMax) {
      ++dropped_;
      return;
    }
    waiting_.append(line).append("\n");
    wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::string batch = std::exchange(waiting_, {});
      size_t dropped = std::exchange(dropped_, 0);
      lock.unlock();
      if (dropped > 0) log::warning("audit", "{} events were dropped: the disk cannot keep up", dropped);
      write_batch(batch);
      lock.lock();
    }
  }

  void write_batch(std::string_view batch) {
    if (size_ > 0 && size_ + batch.size() > options_.bytes_max) rotate();
    size_ += batch.size();
    while (!batch.empty()) {
      ssize_t written = ::write(file_, batch.data(), batch.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return log::warning("audit", "{}: {}", options_.path, std::strerror(errno));
      batch.remove_prefix(static_cast<size_t>(written));
    }
  }

  void rotate() {
    std::filesystem::path path(options_.path);
    std::string stem = path.stem().string() + "-";
    std::string time = object::format_micro_time(system_clock().wall_now());
    std::replace(time.begin(), time.end(), ':', '-');
    std::error_code code;
    std::filesystem::rename(path, path.parent_path() / (stem + time + path.extension().string()), code);
    if (code) return log::warning("audit", "{} is not rotated: {}", options_.path, code.message());
    int old = file_;
    Result<void> opened = open_file();
    if (!opened.ok()) {
      log::warning("audit", "{}", opened.error().message);
      file_ = old;
      return;
    }
    close(old);
    drop_old_ones(path, stem);
  }

  // Names sort by time.
  void drop_old_ones(const std::filesystem::path& path, const std::string& stem) const {
    std::vector<std::filesystem::path> backups;
    std::error_code code;
    std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
      std::string name = entry.path().filename().string();
      if (name.starts_with(stem) && name.ends_with(path.extension().string())) backups.push_back(entry.path());
    }
    std::sort(backups.begin(), backups.end());
    size_t keep = static_cast<size_t>(options_.backups_max);
    for (size_t i = 0; i + keep < backups.size(); ++i) std::filesystem::remove(backups[i], code);
  }

  const AuditLogOptions options_;
  int file_ = -1;    // the log's thread's, once that runs
  size_t size_ = 0;  // likewise
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  size_t dropped_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<AuditLog>> open_audit_log(AuditLogOptions options) {
  auto log = std::make_unique<FileAuditLog>(std::move(options));
  STEAD_TRY_VOID(log->open_file());
  log->start();
  return std::unique_ptr<AuditLog>(std::move(log));
}

}  // namespace stead::apiserver
