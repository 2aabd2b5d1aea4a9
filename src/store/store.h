#pragma once

// The Store contract: etcd's. A revisioned key space: every committed write raises one global revision by one;
// a key remembers the revision that created it and the one that last changed it; watches deliver every change in
// revision order; compaction forgets history below a revision. tests in store/contract_test.cc hold every
// implementation (memory/, sqlite/, etcd/) to a model.
//
// Durability: a write is reported only after its commit is on the disk. A write that was not reported may or may
// not survive a crash; one that was reported always does.
//
// Threads: every method may be called from any thread. Callbacks and watch events come on a thread of the
// store's, one after the other: all events of revision N precede those of N+1, and the event of a write precedes
// its callback. Callbacks must not block and must not call back into the store synchronously.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace stead::store {

using Bytes = std::shared_ptr<const std::string>;

// What one key may hold (etcd's limit of a request); more is kRequestEntityTooLarge.
inline constexpr size_t kValueBytesMax = size_t{1536} * 1024;
// An empty store is at this revision, as etcd's is, so that no answer carries revision 0.
inline constexpr int64_t kFirstRevision = 1;

struct KeyValue {
  std::string key;
  Bytes value;
  int64_t create_revision = 0;
  int64_t mod_revision = 0;
  int64_t version = 0;                 // 1 at creation, raised by every put
  std::optional<WallTime> expires_at;  // the store deletes the key soon after
};

// One compare-and-put or compare-and-delete.
struct Write {
  std::string key;
  std::optional<Bytes> value;  // nullopt: delete
  // kAny: no condition. kAbsent: the key must not exist. kRevision: its mod_revision must be `revision`.
  enum class Expect : uint8_t { kAny, kAbsent, kRevision } expect = Expect::kAny;
  int64_t revision = 0;
  std::optional<WallTime> expires_at;
  // Handed back in the watch events that this write causes in this process; the store does not look at it.
  std::shared_ptr<void> attachment;
};

struct WriteOutcome {
  bool applied = false;             // false: the condition did not hold; nothing changed
  int64_t revision = 0;             // of the commit, or the store's current one
  std::optional<KeyValue> current;  // when not applied: what the key holds (nullopt: nothing)
};
using WriteCallback = std::function<void(Result<WriteOutcome>)>;

struct RangeRequest {
  std::string start;     // inclusive
  std::string end;       // exclusive; empty: only the key `start`; "\0" alone: no upper bound
  size_t limit = 0;      // 0: none
  int64_t revision = 0;  // 0: now. Otherwise as of that revision: kExpired if compacted
};
struct RangeResult {
  std::vector<KeyValue> entries;  // in key order
  bool more = false;
  int64_t revision = 0;  // the revision the answer is true for
};

struct WatchEvent {
  enum class Type : uint8_t { kPut, kDelete } type = Type::kPut;
  KeyValue entry;                    // delete: key and mod_revision of the deletion, no value
  std::optional<KeyValue> previous;  // what the key held before, where known
  std::shared_ptr<void> attachment;  // of the write, if it came from this process
};

class WatchSink {
 public:
  virtual ~WatchSink() = default;
  // One or more whole revisions, in order.
  virtual void on_events(std::vector<WatchEvent> events) = 0;
  // The watch is over: kExpired when the sink fell behind what the store holds, kUnavailable when the store closed.
  virtual void on_end(Error error) = 0;
};

// Ends the watch when destroyed; after the destructor returns no further call reaches the sink.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Store {
 public:
  virtual ~Store() = default;

  // Queues one write; its outcome goes to `done`. A condition that does not hold is an outcome (applied == false), and
  // so is the deletion of a key that is absent. kTooManyRequests: the queue is full; kRequestEntityTooLarge: see
  // kValueBytesMax; kUnavailable: the disk failed or is full, or the store closes, and the write is not acknowledged.
  // `done` is called once, before the store's destructor returns (memory/: if that runs on its loop), never after.
  virtual void write(Write write, WriteCallback done) = 0;
  // Blocks for the disk. kExpired: `revision` is compacted; kBadRequest: it is in the future.
  virtual Result<RangeResult> range(const RangeRequest& request) = 0;
  Result<std::optional<KeyValue>> get(const std::string& key, int64_t revision = 0);
  // Events with mod_revision > after_revision for keys with `prefix`. kExpired if compacted.
  virtual Result<std::unique_ptr<Watch>> watch(const std::string& prefix, int64_t after_revision,
                                               std::shared_ptr<WatchSink> sink) = 0;
  virtual int64_t revision() = 0;
  // Forgets superseded versions below `revision`: reads at `revision` and watches after `revision` - 1 still work.
  // Blocks for the disk; may be repeated with the same revision. kExpired if already compacted further, kBadRequest if
  // in the future.
  virtual Result<void> compact(int64_t revision) = 0;
};

// The end of the range of all keys that start with `prefix`.
std::string prefix_end(std::string_view prefix);

}  // namespace stead::store
