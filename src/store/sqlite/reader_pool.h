#pragma once

// Connections that only read, made on demand up to a bound. Any thread.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/sqlite/versions.h"

namespace stead::store {

class ReaderPool {
 public:
  ReaderPool(std::string path, std::string vfs, size_t readers_max)
      : path_(std::move(path)), vfs_(std::move(vfs)), readers_max_(readers_max) {}

  // Waits while all connections are in use.
  Result<RangeResult> range(const RangeRequest& request);

 private:
  struct Reader {
    Connection connection;
    std::optional<Versions> versions;
  };
  Result<std::unique_ptr<Reader>> make_reader();
  Result<std::unique_ptr<Reader>> take();
  void give_back(std::unique_ptr<Reader> reader);

  const std::string path_;
  const std::string vfs_;
  const size_t readers_max_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Reader>> idle_;
  size_t made_ = 0;
};

}  // namespace stead::store
