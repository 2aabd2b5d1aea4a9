#pragma once

// Virtual time. A Simulation holds any number of loops and runs their tasks on the calling thread: time stands
// still while tasks run and jumps to the next deadline when none is left. Where several loops have a task
// ready, the seed chooses whose runs first, so that one seed gives one history.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/random.h"
#include "loop/loop.h"

namespace stead::loop {

class SimulatedLoop;

class Simulation {
 public:
  explicit Simulation(uint64_t seed);
  ~Simulation();

  // A loop owned by the simulation.
  SimulatedLoop& make_loop();
  // A pool whose work runs as tasks of the simulation (blocking work takes no virtual time).
  WorkerPool& worker_pool();

  // Runs one task, advancing time if none is ready; false when nothing at all is left to do.
  bool step();
  // Runs until nothing is ready at or before now() + `span`, and leaves time at that point.
  void run_for(Duration span);
  // Runs until `done()` holds, checked after each task; false if `limit` of virtual time passed first.
  bool run_until(const std::function<bool()>& done, Duration limit);

  Instant now() const { return now_; }
  Random& random() { return *random_; }

 private:
  friend class SimulatedLoop;
  class Pool;
  bool run_ready();

  Instant now_{std::chrono::hours(1)};
  WallTime wall_offset_{std::chrono::hours(24 * 365 * 55)};
  std::unique_ptr<Random> random_;
  std::vector<std::unique_ptr<SimulatedLoop>> loops_;
  std::unique_ptr<Pool> pool_;
  uint64_t next_timer_id_ = 1;
  struct Timer {
    SimulatedLoop* loop;
    Task task;
  };
  std::map<std::pair<Instant, uint64_t>, Timer> timers_;
  std::map<uint64_t, Instant> deadlines_;
};

class SimulatedLoop final : public Loop {
 public:
  explicit SimulatedLoop(Simulation& simulation) : simulation_(simulation) {}
  void post(Task task) override {
    if (!dead_) ready_.push_back(std::move(task));
  }
  TimerId call_at(Instant when, Task task) override;
  void cancel(TimerId id) override;
  bool in_loop() const override { return true; }
  WallTime wall_now() const override;
  Instant now() const override { return simulation_.now(); }
  // While frozen, as a process that is stopped, it runs nothing; what is due waits.
  void set_frozen(bool frozen) { frozen_ = frozen; }
  // Drops everything that it had to do, and whatever comes: its process was killed. What its tasks referred to may be
  // destroyed now.
  void kill();

 private:
  friend class Simulation;
  Simulation& simulation_;
  std::deque<Task> ready_;
  bool frozen_ = false;
  bool dead_ = false;
};

}  // namespace stead::loop
