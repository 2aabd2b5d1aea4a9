#pragma once

// The tables of a store and every statement on them.
//
//   versions     one row per revision: key, create_revision, version (0: a deletion), expires_at (µs), value.
//                The row id is the revision, so that writes append; an index by key finds a key's versions in order.
//                The newest row is always kept: its revision is the store's.
//   compaction   one row: history below `compacted` is forgotten; superseded rows have been deleted up to `swept`.
//
// A Versions object belongs to one connection, hence to one thread at a time.

#include <optional>
#include <vector>

#include "store/sqlite/connection.h"
#include "store/store.h"

namespace stead::store {

// Of an empty file makes a store; of another checks that it is one that this program reads. `damage_scan_bytes_max`:
// a file up to this size is read through for damage (a larger one shows its damage when it is read).
Result<void> prepare_store(Connection& connection, int64_t damage_scan_bytes_max);

struct Compaction {
  int64_t compacted = 0;
  int64_t swept = 0;
};

class Versions {
 public:
  // `connection` must outlive this.
  static Result<Versions> open(Connection& connection);

  Result<int64_t> revision();
  Result<Compaction> compaction();

  // What the key holds; nullopt: nothing.
  Result<std::optional<KeyValue>> latest(const std::string& key);
  // What the key held before `revision`.
  Result<std::optional<KeyValue>> before(const std::string& key, int64_t revision);
  Result<void> append(const KeyValue& entry);

  // Inside one read transaction, so that entries, revision and compaction belong together.
  Result<RangeResult> range(const RangeRequest& request);
  // Up to `limit` events after `after_revision`, of all keys with `prefix`; `reached` becomes the revision up to which
  // the answer is complete.
  Result<std::vector<WatchEvent>> history(const std::string& prefix, int64_t after_revision, size_t limit,
                                          int64_t& reached);
  // (expiry, key) of every key that has one.
  Result<std::vector<std::pair<WallTime, std::string>>> expiries();

  Result<void> set_compacted(int64_t revision);
  // Deletes what compaction made superfluous up to revision `until`.
  Result<void> sweep(const Compaction& compaction, int64_t until);

 private:
  explicit Versions(Connection& connection) : connection_(&connection) {}
  Result<void> range_in_transaction(const RangeRequest& request, RangeResult& result);

  Connection* connection_;
  Statement revision_;
  Statement compaction_;
  Statement before_;
  Statement append_;
  Statement keys_;
  Statement by_revision_;
  Statement history_;
  Statement set_compacted_;
  Statement set_swept_;
  Statement sweep_superseded_;
  Statement sweep_deletions_;
};

}  // namespace stead::store
