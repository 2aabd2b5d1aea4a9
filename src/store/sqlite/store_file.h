#pragma once

// The file of a store and its claim: `<path>` (mode 0600) is used by one process at a time, which holds a lock on
// `<path>.lock`. SQLite's own locks only keep transactions apart; two servers on one file would each miss the
// other's events. A separate file, because closing any descriptor of the database would drop SQLite's locks.

#include <string>

#include "base/result.h"

namespace stead::store {

class StoreFile {
 public:
  // Makes the file if it is missing, its directory entry durable. kUnavailable if another process (its id is in the
  // message) holds it.
  static Result<StoreFile> claim(const std::string& path);
  StoreFile(StoreFile&& other) noexcept : lock_(other.lock_) { other.lock_ = -1; }
  StoreFile& operator=(StoreFile&&) = delete;
  ~StoreFile();

 private:
  explicit StoreFile(int lock) : lock_(lock) {}
  int lock_;
};

}  // namespace stead::store
