#pragma once

// The lines of a CRI log and which of them reach a client. Pure.
//
//   2026-01-02T03:04:05.123456789Z stdout F text        a whole line, or the end of one
//   2026-01-02T03:04:05.123456789Z stderr P text        a piece of a line that goes on

#include <optional>
#include <string>
#include <string_view>

#include "node/logs/log_options.h"

namespace stead::node {

struct LogLine {
  std::string_view stamp;
  bool is_stderr = false;
  bool ends = true;  // false: the line goes on in the stream's next piece
  std::string_view text;
};

// `raw` without its newline; the views point into it. nullopt: not a line of a CRI log.
std::optional<LogLine> parse_log_line(std::string_view raw);

// The stamp with nine digits after the point, as the kubelet shows it.
std::string full_stamp(std::string_view stamp);

// Turns the lines of a log, in order, into the text that the client gets.
class LogSelection {
 public:
  explicit LogSelection(const LogOptions& options);

  // Appends what `raw` (without its newline) contributes. Lines in no CRI form are left out.
  void add(std::string_view raw, std::string& text);
  // The limit of bytes is reached: nothing more will be appended.
  bool complete() const { return bytes_left_ == 0; }

 private:
  void append(std::string_view piece, std::string& text);

  const bool timestamps_;
  const LogOutput output_;
  const std::optional<WallTime> since_;
  std::optional<size_t> bytes_left_;
  bool continues_[2] = {false, false};  // stdout, stderr: the last piece did not end its line
};

// All text of `records`, without stamps.
std::string plain_log_text(std::string_view records);

}  // namespace stead::node
