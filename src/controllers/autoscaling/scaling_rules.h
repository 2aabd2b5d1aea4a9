#pragma once

// How fast a size may move to where the load wants it: stabilization windows and policies of spec.behavior
// (autoscaling/v2; the documented defaults where it says nothing). Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "object/value.h"

namespace stead::controllers::autoscaling {

using object::Value;

// What an autoscaler remembers, in memory only; bounded by the longest window.
struct History {
  struct Recommendation {
    WallTime at;
    int64_t replicas = 0;
  };
  struct Change {
    WallTime at;
    int64_t replicas = 0;  // how many were added, or (negative) taken away
  };
  std::vector<Recommendation> recommendations;
  std::vector<Change> changes;
};

// A condition of the autoscaler's status.
struct Verdict {
  bool holds = false;
  std::string reason;
  std::string message;
};

struct Normalized {
  int64_t replicas = 0;
  Verdict able_to_scale;
  Verdict limited;
};

// Notes the recommendation in `history` and says where the size may go now. `spec` is the autoscaler's.
Normalized normalize(const Value& spec, int64_t current, int64_t wanted, History& history, WallTime now);

}  // namespace stead::controllers::autoscaling
