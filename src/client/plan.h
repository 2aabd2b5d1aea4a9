#pragma once

// A Plan is what a pure decide() returns: the writes to make, in order, and when to look again. apply_plan() is
// the one place where controllers' decisions become effects.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/event_recorder.h"
#include "client/transport.h"
#include "client/work_queue.h"

namespace stead::client {

struct Plan {
  struct Step {
    Request request;
    // Answers that count as success, e.g. AlreadyExists for a create that may repeat.
    std::vector<Reason> tolerated;
    std::optional<Event> event_on_success;
    std::optional<Event> event_on_failure;  // its message gets ": <error>" appended
  };
  std::vector<Step> steps;    // run one after the other; the first failure ends the plan
  std::vector<Event> events;  // recorded whatever happens
  std::optional<Duration> look_again;
};

// Runs the steps and then `done` with the outcome for the work queue. A kConflict or kNotFound of an update ends
// the plan quietly: the watch that brings the newer object triggers the next decision.
void apply_plan(ApiTransport& transport, EventRecorder& events, Plan plan, WorkQueue::Finish done);

}  // namespace stead::client
