#pragma once

// Level-triggered work by key. A key is in the queue once however often it is added, never runs twice at the same
// time, and runs again afterwards if it was added meanwhile. Failures back off per key (5 ms doubling to 16 s, with
// the newest add not shortening the wait). One loop.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "loop/loop.h"

namespace stead::client {

// What a run of a key asks for next.
struct Outcome {
  std::optional<Error> error;             // run again after the key's back-off
  std::optional<Duration> requeue_after;  // run again then, unless added earlier
  static Outcome done() { return {}; }
  static Outcome again_after(Duration delay) { return {std::nullopt, delay}; }
  static Outcome failed(Error error) { return {std::move(error), std::nullopt}; }
};

class WorkQueue {
 public:
  // Must call `finish` exactly once, at any later time.
  using Finish = std::function<void(Outcome)>;
  using Run = std::function<void(const std::string& key, Finish finish)>;
  // Keys of a higher rank run first, equal ones in the order they were added; asked when a key is queued.
  using Rank = std::function<int64_t(const std::string& key)>;

  // Without `rank` all keys are equal.
  WorkQueue(loop::Loop& loop, std::string name, size_t concurrency, Run run, Rank rank = {});
  ~WorkQueue();

  void add(const std::string& key);
  void add_after(const std::string& key, Duration delay);
  // Nothing runs before start().
  void start();
  size_t depth() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::client
