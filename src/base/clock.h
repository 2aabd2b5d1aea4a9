#pragma once

// Time comes in two kinds. WallTime is what the API shows (UTC, can jump); Instant only measures and schedules.
// Code above this floor takes either as an argument or asks its Loop; it never reads a clock of the system.

#include <chrono>

namespace stead {

using Duration = std::chrono::microseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;
  virtual Instant now() const = 0;
};

// The system's clocks. Thread-safe, lives for ever.
Clock& system_clock();

}  // namespace stead
