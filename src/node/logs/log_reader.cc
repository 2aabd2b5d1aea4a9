#include "node/logs/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <vector>

#include "node/logs/log_tail.h"

namespace stead::node {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadBytes = 64 * 1024;
// A piece may yield nothing (sinceTime): the reader comes up for air after that much.
constexpr size_t kTurnBytes = 1024 * 1024;
// Runtimes cut lines at 16 KiB; what is longer than this is not theirs and is left out.
constexpr size_t kLineBytesMax = 1024 * 1024;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code failed;
  fs::directory_iterator entry(directory, failed);
  while (!failed && entry != fs::directory_iterator()) {
    names.push_back(entry->path().filename().string());
    entry.increment(failed);
  }
  return names;
}

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

}  // namespace

std::optional<uint32_t> find_log(const std::string& directory, uint32_t newest) {
  std::optional<uint32_t> found;
  for (const std::string& name : names_in(directory)) {
    uint32_t attempt = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), attempt);
    if (error != std::errc() || std::string_view(end) != ".log" || attempt > newest) continue;
    found = std::max(found.value_or(0), attempt);
  }
  return found;
}

LogReader::LogReader(std::string directory, uint32_t attempt, const LogOptions& options)
    : directory_(std::move(directory)),
      name_(std::to_string(attempt) + ".log"),
      tail_lines_(options.tail_lines),
      selection_(options) {}

// False: there is no file yet.
Result<bool> LogReader::open() {
  file_ = Descriptor(::open((directory_ + "/" + name_).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_ && (errno == ENOENT || errno == ENOTDIR)) return false;
  if (!file_) return errno_error("opening log " + name_, errno);
  offset_ = 0;
  if (!opened_ && tail_lines_) {
    STEAD_TRY(start, find_tail(file_.fd(), *tail_lines_));
    offset_ = start;
  }
  opened_ = true;
  return true;
}

Result<LogReader::Piece> LogReader::read(bool last) {
  Piece piece;
  if (!file_) {
    STEAD_TRY(there, open());
    piece.at_end = !there;
    if (!there) return piece;
  }
  bool rotated = false;
  for (size_t turn = 0; turn < kTurnBytes && piece.text.size() < kPieceBytes;) {
    STEAD_TRY(count, fill());
    turn += count;
    take_lines(piece.text);
    piece.complete = selection_.complete();
    if (piece.complete) return piece;
    if (count > 0) continue;
    if (!rotated) {
      // Once the new file is seen the runtime writes to the old one no more; what it wrote before is still to read.
      rotated = is_rotated();
      if (rotated) continue;
      if (last) take_rest(piece.text);
      piece.complete = selection_.complete();
      piece.at_end = true;
      return piece;
    }
    take_rest(piece.text);
    STEAD_TRY(there, open_next());
    rotated = false;
    if (!there) {
      piece.at_end = true;
      return piece;
    }
  }
  return piece;
}

Result<size_t> LogReader::fill() {
  struct stat status {};
  if (fstat(file_.fd(), &status) != 0) return errno_error("reading log " + name_, errno);
  // Somebody emptied the file in place.
  if (status.st_size < offset_) {
    offset_ = 0;
    pending_.clear();
  }
  size_t before = pending_.size();
  pending_.resize(before + kReadBytes);
  ssize_t count = 0;
  do {
    count = pread(file_.fd(), pending_.data() + before, kReadBytes, offset_);
  } while (count < 0 && errno == EINTR);
  int failure = errno;
  pending_.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return errno_error("reading log " + name_, failure);
  offset_ += count;
  return static_cast<size_t>(count);
}

void LogReader::take_lines(std::string& text) {
  size_t from = 0;
  for (size_t end = 0; (end = pending_.find('\n', from)) != std::string::npos; from = end + 1) {
    if (!skipping_) selection_.add(std::string_view(pending_).substr(from, end - from), text);
    skipping_ = false;
  }
  pending_.erase(0, from);
  if (pending_.size() <= kLineBytesMax) return;
  skipping_ = true;
  pending_.clear();
}

void LogReader::take_rest(std::string& text) {
  if (!pending_.empty() && !skipping_) selection_.add(pending_, text);
  pending_.clear();
  skipping_ = false;
}

bool LogReader::is_rotated() const {
  struct stat mine {};
  struct stat current {};
  if (fstat(file_.fd(), &mine) != 0 || stat((directory_ + "/" + name_).c_str(), &current) != 0) return false;
  return !same_file(mine, current);
}

// More than one rotation may have happened since the last piece.
Result<bool> LogReader::open_next() {
  struct stat mine {};
  bool known = fstat(file_.fd(), &mine) == 0;
  std::vector<std::string> rotated;
  for (std::string& name : names_in(directory_)) {
    if (name.starts_with(name_ + ".")) rotated.push_back(std::move(name));
  }
  std::sort(rotated.begin(), rotated.end());
  Descriptor next;
  for (size_t i = 0; known && i + 1 < rotated.size(); ++i) {
    struct stat other {};
    if (stat((directory_ + "/" + rotated[i]).c_str(), &other) != 0 || !same_file(mine, other)) continue;
    next = Descriptor(::open((directory_ + "/" + rotated[i + 1]).c_str(), O_RDONLY | O_CLOEXEC));
    break;
  }
  file_ = std::move(next);
  offset_ = 0;
  if (file_) return true;
  return open();
}

}  // namespace stead::node
