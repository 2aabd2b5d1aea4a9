#pragma once

// Which lines of a log a client wants, and in what form (PodLogOptions of the core API).

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace stead::node {

enum class LogOutput : uint8_t { kAll, kStdout, kStderr };

struct LogOptions {
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  LogOutput output = LogOutput::kAll;
  std::optional<int64_t> tail_lines;
  std::optional<int64_t> limit_bytes;
  std::optional<WallTime> since;
};

}  // namespace stead::node
