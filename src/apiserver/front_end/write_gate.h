#pragma once

// How many writes are under way at once, and who is next: fair queuing by user (API Priority and Fairness, KEP-1040,
// with one level). Reads are answered in the turn that takes them, so none is ever under way.
//
//   enter ─ room? ─▶ started ──leave()──▶ the next of the users in turn is started
//      ├─ no room ─▶ waits, first come first served among its user's
//      └─ its user, or everybody, has too many waiting ─▶ refused
//
// No thread of its own: one loop.

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>

namespace stead::apiserver {

class WriteGate {
 public:
  struct Limits {
    size_t under_way_max = 200;
    size_t waiting_per_user_max = 200;
    size_t waiting_max = 5000;
  };
  explicit WriteGate(const Limits& limits) : limits_(limits) {}

  // Runs `start` now or later, each to be followed by one leave(). False: refused, `start` never runs.
  bool enter(const std::string& user, std::function<void()> start);
  void leave();

  size_t under_way() const { return under_way_; }
  size_t waiting() const { return waiting_; }

 private:
  const Limits limits_;
  size_t under_way_ = 0;
  size_t waiting_ = 0;
  bool draining_ = false;
  std::map<std::string, std::deque<std::function<void()>>> queues_;  // none is empty
  std::string last_user_;                                            // whose turn it was
};

}  // namespace stead::apiserver
