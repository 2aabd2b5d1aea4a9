#include "store/sqlite/reader_pool.h"

namespace stead::store {

Result<RangeResult> ReaderPool::range(const RangeRequest& request) {
  STEAD_TRY(reader, take());
  Result<RangeResult> result = reader->versions->range(request);
  give_back(std::move(reader));
  return result;
}

Result<std::unique_ptr<ReaderPool::Reader>> ReaderPool::make_reader() {
  STEAD_TRY(connection, Connection::open(path_, vfs_));
  auto reader = std::make_unique<Reader>(Reader{std::move(connection), std::nullopt});
  STEAD_TRY_VOID(reader->connection.execute("PRAGMA query_only = ON"));
  STEAD_TRY(versions, Versions::open(reader->connection));
  reader->versions.emplace(std::move(versions));
  return reader;
}

Result<std::unique_ptr<ReaderPool::Reader>> ReaderPool::take() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty() || made_ < readers_max_; });
    if (!idle_.empty()) {
      std::unique_ptr<Reader> reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
    ++made_;
  }
  Result<std::unique_ptr<Reader>> made = make_reader();
  if (!made.ok()) {
    std::lock_guard lock(mutex_);
    --made_;
    returned_.notify_one();
  }
  return made;
}

void ReaderPool::give_back(std::unique_ptr<Reader> reader) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(reader));
  returned_.notify_one();
}

}  // namespace stead::store
