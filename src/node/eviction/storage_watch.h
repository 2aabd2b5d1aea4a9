#pragma once

// Measures the pods that set limits of local storage, and says which exceed them. A walk over volumes costs what they
// hold, so the next one comes after a multiple of the time that the last one took; a node without such pods measures
// nothing. One loop; walks run on the worker pool.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/eviction/storage_limits.h"
#include "node/node_context.h"

namespace stead::node {

struct StorageSubject {
  std::string uid;
  PodPaths paths;
  StorageLimits limits;
};

class StorageWatch {
 public:
  using Subjects = std::function<std::vector<StorageSubject>()>;
  using Excess = std::function<void(const std::string& uid, const std::string& message)>;
  // Both are called on the loop, until this dies.
  StorageWatch(const NodeContext& context, Subjects subjects, Excess excess);
  ~StorageWatch();
  void start();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
