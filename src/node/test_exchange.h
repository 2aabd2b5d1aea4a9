#pragma once

// An exchange whose loop is the test: post() from any thread, the tasks run in run_until() on the test's thread.

#include <condition_variable>
#include <deque>
#include <mutex>

#include "http/http.h"

namespace stead::node {

class TestExchange final : public http::Exchange {
 public:
  const http::Request& request() const override { return request_; }
  void respond(http::Response response) override {
    status = response.status;
    for (const http::Bytes& bytes : response.body) text += *bytes;
    finished = true;
  }
  void start(int new_status, http::Headers) override { status = new_status; }
  void write(http::Bytes chunk) override {
    text += *chunk;
    ++writes;
  }
  void finish() override { finished = true; }
  size_t queued_bytes() const override { return queued; }
  void on_close(std::function<void()> closed) override { closed_ = std::move(closed); }
  void on_drain(std::function<void()> drained) override { drained_ = std::move(drained); }
  void relay(const http::Upstream& upstream, const std::string& target) override {
    relayed = upstream.host + ":" + std::to_string(upstream.port) + target;
    finished = true;
  }
  void join(http::Request request, const http::Upstream& upstream, const std::string& target, http::Headers,
            Joined) override {
    relayed = request.method + " " + upstream.host + ":" + std::to_string(upstream.port) + target;
    finished = true;
  }
  void post(std::function<void()> task) override {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    posted_.notify_all();
  }

  // False: nothing was posted for ten seconds.
  bool run_until(const std::function<bool()>& done) {
    while (!done()) {
      std::unique_lock lock(mutex_);
      if (!posted_.wait_for(lock, std::chrono::seconds(10), [this] { return !tasks_.empty(); })) return false;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
    return true;
  }
  bool run_to_end() {
    return run_until([this] { return finished; });
  }
  // Runs what is there already.
  void run_posted() {
    for (;;) {
      std::unique_lock lock(mutex_);
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }
  void close() {
    auto closed = std::move(closed_);
    if (closed) closed();
  }
  void drain() {
    queued = 0;
    if (drained_) drained_();
  }

  int status = 0;
  std::string text;
  std::string relayed;
  bool finished = false;
  int writes = 0;
  size_t queued = 0;

 private:
  const http::Request request_;
  std::function<void()> closed_, drained_;
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> tasks_;
};

}  // namespace stead::node
