#pragma once

// What log streams use of their node. Streams live on with their clients; the node closes the scope when it goes, and
// from then on they do nothing more with the pool or the runtime.

#include <mutex>

#include "loop/loop.h"
#include "node/logs/log_watch.h"
#include "node/runtime/runtime.h"

namespace stead::node {

class StreamScope {
 public:
  // Both outlive close() and the work that was put on the pool before it.
  StreamScope(loop::WorkerPool& pool, ContainerRuntime& runtime) : pool_(pool), runtime_(runtime) {}

  // Queues blocking work; false: the node is gone. Any thread.
  bool run(loop::Task work) {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    pool_.run(std::move(work));
    return true;
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // Within work only.
  ContainerRuntime& runtime() { return runtime_; }
  LogWatch& watch() { return watch_; }

 private:
  std::mutex mutex_;
  bool closed_ = false;
  loop::WorkerPool& pool_;
  ContainerRuntime& runtime_;
  LogWatch watch_;
};

}  // namespace stead::node
