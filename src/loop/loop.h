#pragma once

// One loop per role (API, controllers, node, DNS): a single thread that runs tasks one after the other and owns
// its role's state. Roles talk by posting immutable messages. The real loop (asio_loop.h) and the simulated one
// (simulated_loop.h) are the only two; product code never knows which it runs on.

#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace stead::loop {

using Task = std::function<void()>;
enum class TimerId : uint64_t { kNone = 0 };

class Loop : public Clock {
 public:
  // Runs `task` later on the loop's thread, in the order of posting. Any thread. Never runs it inline.
  virtual void post(Task task) = 0;

  // Runs `task` on the loop's thread once `when` has come. Any thread.
  virtual TimerId call_at(Instant when, Task task) = 0;
  TimerId call_after(Duration delay, Task task) { return call_at(now() + delay, std::move(task)); }

  // After cancel() on the loop's own thread the task will not run. Unknown and expired ids are ignored.
  virtual void cancel(TimerId id) = 0;

  // Whether the caller is the loop's thread.
  virtual bool in_loop() const = 0;
};

// A bounded set of threads for work that blocks (commits, CRI calls). Work posts its result back to a loop itself.
class WorkerPool {
 public:
  virtual ~WorkerPool() = default;
  // Queues `work`; any thread. Work that finds no free thread waits its turn, first in first out.
  virtual void run(Task work) = 0;
};

}  // namespace stead::loop
