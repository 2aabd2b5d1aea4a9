#pragma once

// The embedded default store: one SQLite file in WAL mode with synchronous=FULL.
//
//   write() ──▶ bounded queue ──▶ writer thread: one transaction per batch (group commit), COMMIT (fsync),
//                                 then events to watches, then callbacks
//   range() ──▶ a reading connection of its own, on the caller's thread
//
// The writer thread also deletes expired keys (as ordinary revisions), sweeps compacted history in slices, and moves
// the log into the database between batches. When the disk fails or is full, the batch fails with kUnavailable,
// nothing of it is acknowledged, and the store goes on.

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace stead::store {

struct SqliteOptions {
  std::string path;
  Clock* clock = &system_clock();            // for expiry; must outlive the store
  size_t queue_max = 10'000;                 // writes waiting for the writer thread, beyond: kTooManyRequests
  size_t queue_bytes_max = 64 << 20;         // the same for their values
  size_t batch_max = 1'000;                  // writes of one transaction
  int checkpoint_pages = 4'000;              // log pages (4 KiB) after which the log is moved into the database
  size_t readers_max = 4;                    // connections for range(); further callers wait
  int64_t damage_scan_bytes_max = 64 << 20;  // a file up to this size is checked for damage when opened
  std::string vfs;                           // the SQLite layer below; empty: the system's
};

// Makes the file (mode 0600) or recovers what it holds. kUnavailable: another process uses it, or it cannot be opened;
// kInternal: it is damaged, of a newer version or not a store.
Result<std::unique_ptr<Store>> open_sqlite_store(SqliteOptions options);

}  // namespace stead::store
