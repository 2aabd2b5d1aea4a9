#pragma once

// The real loop and worker pool.

#include <cstddef>
#include <memory>
#include <string>

#include "loop/loop.h"

namespace boost::asio {
class io_context;
}

namespace stead::loop {

class AsioLoop final : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;

  // Runs tasks on the calling thread until stop(). Call from one thread only.
  void run();
  // Ends run() after the task in progress; what is still queued is dropped. Any thread.
  void stop();
  // Starts a thread named `name` that calls run(); join() waits for it after stop().
  void start_thread(const std::string& name);
  void join();

  // For the rooms that do I/O (http, network): sockets on this context complete on the loop's thread.
  boost::asio::io_context& context();

  void post(Task task) override;
  TimerId call_at(Instant when, Task task) override;
  void cancel(TimerId id) override;
  bool in_loop() const override;
  WallTime wall_now() const override { return system_clock().wall_now(); }
  Instant now() const override { return system_clock().now(); }

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Threads are made on demand up to `threads_max` and end after ten idle seconds. The destructor waits for
// work in progress and drops what has not begun.
std::unique_ptr<WorkerPool> make_worker_pool(const std::string& name, size_t threads_max);

}  // namespace stead::loop
