#include "loop/simulated_loop.h"

namespace stead::loop {

// Blocking work is posted to a loop of its own, so that it interleaves with everything else.
class Simulation::Pool final : public WorkerPool {
 public:
  explicit Pool(SimulatedLoop& loop) : loop_(loop) {}
  void run(Task work) override { loop_.post(std::move(work)); }

 private:
  SimulatedLoop& loop_;
};

Simulation::Simulation(uint64_t seed) : random_(seeded_random(seed)) {}
Simulation::~Simulation() = default;

SimulatedLoop& Simulation::make_loop() { return *loops_.emplace_back(std::make_unique<SimulatedLoop>(*this)); }

WorkerPool& Simulation::worker_pool() {
  if (!pool_) pool_ = std::make_unique<Pool>(make_loop());
  return *pool_;
}

bool Simulation::run_ready() {
  std::vector<SimulatedLoop*> ready;
  for (auto& loop : loops_) {
    if (!loop->ready_.empty() && !loop->frozen_) ready.push_back(loop.get());
  }
  if (ready.empty()) return false;
  SimulatedLoop* chosen = ready[random_->below(ready.size())];
  Task task = std::move(chosen->ready_.front());
  chosen->ready_.pop_front();
  task();
  return true;
}

bool Simulation::step() {
  if (run_ready()) return true;
  if (timers_.empty()) return false;
  auto first = timers_.begin();
  now_ = std::max(now_, first->first.first);
  first->second.loop->post(std::move(first->second.task));
  deadlines_.erase(first->first.second);
  timers_.erase(first);
  run_ready();
  return true;
}

void Simulation::run_for(Duration span) {
  Instant end = now_ + span;
  for (;;) {
    if (run_ready()) continue;
    if (timers_.empty() || timers_.begin()->first.first > end) break;
    step();
  }
  now_ = end;
}

bool Simulation::run_until(const std::function<bool()>& done, Duration limit) {
  Instant end = now_ + limit;
  while (!done()) {
    if (now_ > end || !step()) return done();
  }
  return true;
}

void SimulatedLoop::kill() {
  dead_ = true;
  std::deque<Task> dropped = std::move(ready_);
  ready_.clear();
  auto& timers = simulation_.timers_;
  for (auto at = timers.begin(); at != timers.end();) {
    if (at->second.loop != this) {
      ++at;
      continue;
    }
    simulation_.deadlines_.erase(at->first.second);
    dropped.push_back(std::move(at->second.task));
    at = timers.erase(at);
  }
}

TimerId SimulatedLoop::call_at(Instant when, Task task) {
  if (dead_) return TimerId::kNone;
  uint64_t id = simulation_.next_timer_id_++;
  simulation_.timers_.emplace(std::pair{when, id}, Simulation::Timer{this, std::move(task)});
  simulation_.deadlines_.emplace(id, when);
  return TimerId{id};
}

void SimulatedLoop::cancel(TimerId id) {
  auto found = simulation_.deadlines_.find(static_cast<uint64_t>(id));
  if (found == simulation_.deadlines_.end()) return;
  simulation_.timers_.erase({found->second, found->first});
  simulation_.deadlines_.erase(found);
}

WallTime SimulatedLoop::wall_now() const { return simulation_.wall_offset_ + simulation_.now_.time_since_epoch(); }

}  // namespace stead::loop
