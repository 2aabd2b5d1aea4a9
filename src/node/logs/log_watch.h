#pragma once

// LogWatch: tells followers of logs that something in a log directory has changed. One inotify instance for all of
// them (a machine allows few: fs.inotify.max_user_instances is 128), made with the first subscription, and one thread
// that waits for it.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace stead::node {

class LogWatch {
 public:
  LogWatch();
  // Waits for the thread; not on the thread of a callback.
  ~LogWatch();

  using Subscription = std::shared_ptr<void>;
  // Calls `changed` on the watch's thread after each change in `directory`, until the subscription dies; a call under
  // way may end after that. It must not block. Any thread.
  Result<Subscription> subscribe(const std::string& directory, std::function<void()> changed);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
