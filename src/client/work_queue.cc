#include "client/work_queue.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/log.h"
#include "client/queue_metrics.h"

namespace stead::client {
namespace {

constexpr Duration kBackoffFirst = std::chrono::milliseconds(5);
constexpr Duration kBackoffMax = std::chrono::seconds(16);
constexpr int kBackoffDoublingsMax = 12;

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

// A key is in at most one of: waiting in `ready`, running (maybe `dirty`: added meanwhile), delayed by a timer.
struct WorkQueue::State : std::enable_shared_from_this<WorkQueue::State> {
  struct Key {
    bool queued = false;
    bool running = false;
    bool dirty = false;
    int failures = 0;
    loop::TimerId timer = loop::TimerId::kNone;
    Instant due{};
    Instant since{};  // queued, or running
  };

  State(loop::Loop& the_loop, std::string the_name, size_t the_concurrency, Run the_run, Rank the_rank)
      : loop(the_loop),
        name(std::move(the_name)),
        concurrency(the_concurrency),
        run(std::move(the_run)),
        rank(std::move(the_rank)),
        metrics(name) {}

  ~State() { metrics.depth.add(-static_cast<double>(ready.size())); }

  loop::Loop& loop;
  const std::string name;
  const size_t concurrency;
  Run run;
  Rank rank;
  bool started = false;
  bool closed = false;
  size_t running = 0;
  // By rank, highest first, then by turn.
  std::map<std::pair<int64_t, uint64_t>, std::string> ready;
  uint64_t turns = 0;
  std::unordered_map<std::string, Key> keys;
  const QueueMetrics metrics;

  void add(const std::string& key) {
    if (closed) return;
    Key& state = keys[key];
    if (state.running) {
      state.dirty = true;
      return;
    }
    // A failing key keeps its back-off: fresh news shortens no punishment, or a hot object would spin.
    if (state.timer != loop::TimerId::kNone && state.failures > 0) return;
    enqueue(key, state);
  }

  void enqueue(const std::string& key, Key& state) {
    drop_timer(state);
    if (state.queued) return;
    state.queued = true;
    state.since = loop.now();
    ready.emplace(std::pair(rank ? -rank(key) : 0, ++turns), key);
    metrics.adds.add();
    metrics.depth.add();
    pump();
  }

  void drop_timer(Key& state) {
    if (state.timer == loop::TimerId::kNone) return;
    loop.cancel(state.timer);
    state.timer = loop::TimerId::kNone;
  }

  void delay(const std::string& key, Key& state, Duration wait) {
    if (state.queued) return;
    Instant due = loop.now() + wait;
    if (state.timer != loop::TimerId::kNone) {
      if (state.due <= due) return;
      drop_timer(state);
    }
    state.due = due;
    state.timer = loop.call_at(due, [weak = weak_from_this(), key] {
      auto self = weak.lock();
      if (!self || self->closed) return;
      auto found = self->keys.find(key);
      if (found == self->keys.end()) return;
      found->second.timer = loop::TimerId::kNone;
      if (found->second.running) {
        found->second.dirty = true;
      } else {
        self->enqueue(key, found->second);
      }
    });
  }

  // One task of the loop runs one key, so that other work of the role interleaves.
  void pump() {
    if (!started || closed || ready.empty() || running >= concurrency) return;
    ++running;
    loop.post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->run_next();
    });
  }

  void run_next() {
    if (closed || ready.empty()) {
      --running;
      return;
    }
    std::string key = std::move(ready.begin()->second);
    ready.erase(ready.begin());
    metrics.depth.add(-1);
    Key& state = keys[key];
    Instant now = loop.now();
    metrics.waited_seconds.observe(seconds(now - state.since));
    state.since = now;
    state.queued = false;
    state.running = true;
    state.dirty = false;
    pump();
    run(key, [weak = weak_from_this(), key](Outcome outcome) {
      if (auto self = weak.lock()) self->finish(key, std::move(outcome));
    });
  }

  void finish(const std::string& key, Outcome outcome) {
    Key& state = keys[key];
    state.running = false;
    --running;
    metrics.worked_seconds.observe(seconds(loop.now() - state.since));
    if (outcome.error) {
      metrics.retries.add();
      Duration wait = std::min(kBackoffMax, kBackoffFirst * (1 << std::min(state.failures, kBackoffDoublingsMax)));
      ++state.failures;
      log::info(name, "{}: {}; again in {} ms", key, outcome.error->message, wait.count() / 1000);
      delay(key, state, wait);
    } else {
      state.failures = 0;
      if (state.dirty) {
        enqueue(key, state);
      } else if (outcome.requeue_after) {
        delay(key, state, *outcome.requeue_after);
      } else if (state.timer == loop::TimerId::kNone) {
        keys.erase(key);
      }
    }
    pump();
  }
};

WorkQueue::WorkQueue(loop::Loop& loop, std::string name, size_t concurrency, Run run, Rank rank)
    : state_(std::make_shared<State>(loop, std::move(name), concurrency, std::move(run), std::move(rank))) {}

WorkQueue::~WorkQueue() {
  state_->closed = true;
  for (auto& [key, state] : state_->keys) state_->drop_timer(state);
}

void WorkQueue::add(const std::string& key) { state_->add(key); }

void WorkQueue::add_after(const std::string& key, Duration delay) {
  if (state_->closed) return;
  State::Key& state = state_->keys[key];
  state_->delay(key, state, delay);
}

void WorkQueue::start() {
  state_->started = true;
  size_t queued = std::min(state_->ready.size(), state_->concurrency);
  for (size_t i = 0; i < queued; ++i) state_->pump();
}

size_t WorkQueue::depth() const { return state_->ready.size(); }

}  // namespace stead::client
