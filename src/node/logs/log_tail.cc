#include "node/logs/log_tail.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "node/logs/log_line.h"

namespace stead::node {
namespace {

constexpr int64_t kBlockBytes = 64 * 1024;
// Stamp, stream and tags take less.
constexpr int64_t kHeadBytes = 96;

// A window of the file that moves towards its beginning.
class Window {
 public:
  explicit Window(int fd) : fd_(fd) {}

  // The position of the last newline before `before`; -1: none.
  Result<int64_t> newline_before(int64_t before) {
    while (before > 0) {
      if (before <= base_ || before > base_ + static_cast<int64_t>(bytes_.size())) {
        int64_t from = std::max<int64_t>(0, before - kBlockBytes);
        STEAD_TRY_VOID(load(from, before - from));
        if (bytes_.empty()) return int64_t{-1};
      }
      const void* found = memrchr(bytes_.data(), '\n', static_cast<size_t>(before - base_));
      if (found != nullptr) return base_ + (static_cast<const char*>(found) - bytes_.data());
      before = base_;
    }
    return int64_t{-1};
  }

  // Whether the raw line at [from, to) ends a line of the program's. What is no log line counts as one.
  bool ends_line(int64_t from, int64_t to) const {
    char buffer[kHeadBytes];
    auto length = static_cast<size_t>(std::min(kHeadBytes, to - from));
    ssize_t count = pread(fd_, buffer, length, from);
    if (count <= 0) return true;
    auto line = parse_log_line({buffer, static_cast<size_t>(count)});
    return !line || line->ends;
  }

 private:
  Result<void> load(int64_t from, int64_t count) {
    bytes_.resize(static_cast<size_t>(count));
    base_ = from;
    size_t have = 0;
    while (have < bytes_.size()) {
      ssize_t got = pread(fd_, bytes_.data() + have, bytes_.size() - have, from + static_cast<int64_t>(have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error("reading a log", errno);
      if (got == 0) break;
      have += static_cast<size_t>(got);
    }
    // Cut meanwhile: what was there is gone.
    if (have < bytes_.size()) bytes_.clear();
    return {};
  }

  const int fd_;
  int64_t base_ = 0;
  std::string bytes_;
};

}  // namespace

Result<int64_t> find_tail(int fd, int64_t lines) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return errno_error("reading a log", errno);
  Window window(fd);
  STEAD_TRY(last_newline, window.newline_before(status.st_size));
  int64_t line_end = last_newline + 1;  // of the line looked at, newline included
  bool newest = true;
  int64_t count = 0;
  while (line_end > 0) {
    STEAD_TRY(before, window.newline_before(line_end - 1));
    int64_t line_start = before + 1;
    // The newest line counts though its program has not ended it.
    if (newest || window.ends_line(line_start, line_end - 1)) ++count;
    if (count > lines) return line_end;
    newest = false;
    line_end = line_start;
  }
  return int64_t{0};
}

}  // namespace stead::node
