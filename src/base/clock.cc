#include "base/clock.h"

namespace stead {
namespace {

class SystemClock final : public Clock {
 public:
  WallTime wall_now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
  Instant now() const override { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace stead
