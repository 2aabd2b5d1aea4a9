#include "loop/asio_loop.h"

#include <pthread.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/check.h"

namespace stead::loop {

namespace asio = boost::asio;

// All timers share one asio timer armed for the earliest deadline, so that call_at() is an ordered-map insert.
struct AsioLoop::State {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::atomic<std::thread::id> thread_id;
  std::thread thread;

  std::mutex mutex;  // guards the timers
  uint64_t next_timer_id = 1;
  std::map<std::pair<Instant, uint64_t>, Task> timers;
  std::unordered_map<uint64_t, Instant> deadlines;
  asio::steady_timer timer{context};
  Instant armed_for = Instant::max();

  // Loop thread.
  void fire_due() {
    for (;;) {
      Task due;
      {
        std::lock_guard lock(mutex);
        if (timers.empty() || timers.begin()->first.first > system_clock().now()) break;
        auto first = timers.begin();
        due = std::move(first->second);
        deadlines.erase(first->first.second);
        timers.erase(first);
      }
      due();
    }
    arm();
  }

  // Loop thread.
  void arm() {
    Instant next = Instant::max();
    {
      std::lock_guard lock(mutex);
      if (!timers.empty()) next = timers.begin()->first.first;
    }
    if (next == Instant::max()) {
      armed_for = next;
      return;
    }
    armed_for = next;
    timer.expires_at(next);
    timer.async_wait([this](const boost::system::error_code& code) {
      if (!code) fire_due();
    });
  }
};

AsioLoop::AsioLoop() : state_(std::make_shared<State>()) {}

AsioLoop::~AsioLoop() {
  stop();
  join();
}

void AsioLoop::run() {
  state_->thread_id = std::this_thread::get_id();
  state_->context.run();
}

void AsioLoop::stop() { state_->context.stop(); }

void AsioLoop::start_thread(const std::string& name) {
  STEAD_CHECK(!state_->thread.joinable());
  state_->thread = std::thread([this, name] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    run();
  });
}

void AsioLoop::join() {
  if (state_->thread.joinable()) state_->thread.join();
}

asio::io_context& AsioLoop::context() { return state_->context; }

void AsioLoop::post(Task task) { asio::post(state_->context, std::move(task)); }

TimerId AsioLoop::call_at(Instant when, Task task) {
  uint64_t id = 0;
  bool first = false;
  {
    std::lock_guard lock(state_->mutex);
    id = state_->next_timer_id++;
    auto inserted = state_->timers.emplace(std::pair{when, id}, std::move(task)).first;
    state_->deadlines.emplace(id, when);
    first = inserted == state_->timers.begin();
  }
  if (first) {
    auto rearm = [state = state_.get()] {
      state->timer.cancel();
      state->arm();
    };
    if (in_loop()) {
      rearm();
    } else {
      post(rearm);
    }
  }
  return TimerId{id};
}

void AsioLoop::cancel(TimerId id) {
  std::lock_guard lock(state_->mutex);
  auto found = state_->deadlines.find(static_cast<uint64_t>(id));
  if (found == state_->deadlines.end()) return;
  state_->timers.erase({found->second, found->first});
  state_->deadlines.erase(found);
}

bool AsioLoop::in_loop() const { return state_->thread_id == std::this_thread::get_id(); }

namespace {

class ThreadPool final : public WorkerPool {
 public:
  ThreadPool(std::string name, size_t threads_max) : name_(std::move(name)), threads_max_(threads_max) {}

  ~ThreadPool() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    queue_.clear();
    wake_.notify_all();
    gone_.wait(lock, [this] { return threads_ == 0; });
  }

  void run(Task work) override {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(work));
    if (idle_ >= queue_.size()) {
      wake_.notify_one();
    } else if (threads_ < threads_max_) {
      ++threads_;
      std::thread([this] { work_loop(); }).detach();
    }
  }

 private:
  void work_loop() {
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    std::unique_lock lock(mutex_);
    for (;;) {
      if (queue_.empty() && !stopping_) {
        ++idle_;
        wake_.wait_for(lock, std::chrono::seconds(10), [this] { return stopping_ || !queue_.empty(); });
        --idle_;
      }
      if (queue_.empty()) break;
      Task work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
    if (--threads_ == 0) gone_.notify_all();
  }

  const std::string name_;
  const size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable gone_;
  std::deque<Task> queue_;
  size_t threads_ = 0;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<WorkerPool> make_worker_pool(const std::string& name, size_t threads_max) {
  STEAD_CHECK(threads_max > 0);
  return std::make_unique<ThreadPool>(name, threads_max);
}

}  // namespace stead::loop
