#pragma once

// Exponential back-off as the kubelet counts it: nothing before the first failure, then `first` doubling to `max`,
// forgotten when nothing happened for `reset`.

#include <algorithm>

#include "base/clock.h"

namespace stead::node {

class BackOff {
 public:
  BackOff(Duration first, Duration max, Duration reset) : first_(first), max_(max), reset_(reset) {}

  // The wait that holds for something that ended at `when`.
  Duration current(Instant when) const {
    return delay_ == Duration(0) || when - updated_ > reset_ ? Duration(0) : delay_;
  }
  // Counts one more try.
  Duration next(Instant now) {
    delay_ = current(now) == Duration(0) ? first_ : std::min(delay_ * 2, max_);
    updated_ = now;
    return delay_;
  }
  void reset() { delay_ = Duration(0); }

 private:
  Duration first_, max_, reset_;
  Duration delay_{0};
  Instant updated_{};
};

// Crashed containers and failed pulls: 10 s to 5 min, reset after 10 min (docs: pod-lifecycle, image-pull back-off).
inline BackOff kubelet_back_off() {
  return {std::chrono::seconds(10), std::chrono::seconds(300), std::chrono::seconds(600)};
}

}  // namespace stead::node
