#include "client/plan.h"

#include <algorithm>
#include <memory>

namespace stead::client {
namespace {

struct Execution : std::enable_shared_from_this<Execution> {
  Execution(ApiTransport& the_transport, EventRecorder& the_events, Plan the_plan, WorkQueue::Finish the_done)
      : transport(the_transport), events(the_events), plan(std::move(the_plan)), done(std::move(the_done)) {}

  ApiTransport& transport;
  EventRecorder& events;
  Plan plan;
  WorkQueue::Finish done;
  size_t next = 0;

  void run_next() {
    if (next == plan.steps.size()) {
      done(plan.look_again ? Outcome::again_after(*plan.look_again) : Outcome::done());
      return;
    }
    Plan::Step& step = plan.steps[next];
    transport.call(std::move(step.request),
                   [self = shared_from_this()](Result<Response> response) { self->finish_step(response); });
  }

  void finish_step(const Result<Response>& response) {
    Plan::Step& step = plan.steps[next++];
    if (response.ok()) {
      if (step.event_on_success) events.record(std::move(*step.event_on_success));
      run_next();
      return;
    }
    const Error& error = response.error();
    if (std::find(step.tolerated.begin(), step.tolerated.end(), error.reason) != step.tolerated.end()) {
      run_next();
      return;
    }
    if (step.event_on_failure) {
      step.event_on_failure->message += ": " + error.message;
      events.record(std::move(*step.event_on_failure));
    }
    if (error.reason == Reason::kConflict || error.reason == Reason::kNotFound) {
      done(plan.look_again ? Outcome::again_after(*plan.look_again) : Outcome::done());
    } else {
      done(Outcome::failed(error));
    }
  }
};

}  // namespace

void apply_plan(ApiTransport& transport, EventRecorder& events, Plan plan, WorkQueue::Finish done) {
  for (Event& event : plan.events) events.record(std::move(event));
  std::make_shared<Execution>(transport, events, std::move(plan), std::move(done))->run_next();
}

}  // namespace stead::client
