#pragma once

// Makes and ends several pods of one owner. Creations start slowly (1, 2, 4 … at a time), so that an owner whose pods
// are all refused costs one call instead of hundreds; the first failure ends the batch.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "client/event_recorder.h"
#include "client/transport.h"
#include "controllers/expectations.h"
#include "loop/loop.h"

namespace stead::controllers {

// No batch creates or deletes more than this.
inline constexpr size_t kPodBatchMax = 500;

struct PodBatch {
  client::ObjectPtr owner;
  std::vector<client::Value> creations;
  std::vector<client::ObjectPtr> deletions;
};

// Keeps `expectations` for the owner's UID. Calls `done` once, after the last answer, with the first error if there
// was one. A namespace that is going away is not an error: nothing would ever make the creation succeed.
void run_pod_batch(client::ApiTransport& transport, client::EventRecorder& events, loop::Loop& loop,
                   std::shared_ptr<Expectations> expectations, PodBatch batch,
                   std::function<void(std::optional<Error>)> done);

}  // namespace stead::controllers
