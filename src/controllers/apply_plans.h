#pragma once

// Applies plans that do not depend on each other, several at a time.

#include <vector>

#include "client/plan.h"

namespace stead::controllers {

// Calls `done` once, after the last plan: with the first error if there was one, else with the soonest time to look
// again. At most 64 plans are under way at once.
void apply_plans(client::ApiTransport& transport, client::EventRecorder& events, std::vector<client::Plan> plans,
                 client::WorkQueue::Finish done);

}  // namespace stead::controllers
