#include "controllers/apply_plans.h"

#include <algorithm>
#include <memory>

namespace stead::controllers {
namespace {

constexpr size_t kConcurrencyMax = 64;

struct Batch : std::enable_shared_from_this<Batch> {
  Batch(client::ApiTransport& the_transport, client::EventRecorder& the_events, std::vector<client::Plan> the_plans,
        client::WorkQueue::Finish the_done)
      : transport(the_transport), events(the_events), plans(std::move(the_plans)), done(std::move(the_done)) {}

  client::ApiTransport& transport;
  client::EventRecorder& events;
  std::vector<client::Plan> plans;
  client::WorkQueue::Finish done;
  size_t next = 0;
  size_t finished = 0;
  client::Outcome outcome;

  void start() {
    size_t width = std::min(kConcurrencyMax, plans.size());
    if (width == 0) done(std::move(outcome));
    for (size_t i = 0; i < width; ++i) run_next();
  }

  void run_next() {
    client::apply_plan(transport, events, std::move(plans[next++]),
                       [self = shared_from_this()](client::Outcome one) { self->finish_one(std::move(one)); });
  }

  void finish_one(client::Outcome one) {
    ++finished;
    if (one.error && !outcome.error) outcome.error = std::move(one.error);
    if (one.requeue_after) {
      outcome.requeue_after = std::min(*one.requeue_after, outcome.requeue_after.value_or(*one.requeue_after));
    }
    if (next < plans.size()) {
      run_next();
    } else if (finished == plans.size()) {
      done(std::move(outcome));
    }
  }
};

}  // namespace

void apply_plans(client::ApiTransport& transport, client::EventRecorder& events, std::vector<client::Plan> plans,
                 client::WorkQueue::Finish done) {
  std::make_shared<Batch>(transport, events, std::move(plans), std::move(done))->start();
}

}  // namespace stead::controllers
