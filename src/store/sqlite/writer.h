#pragma once

// The writer thread of the SQLite store: owns the writing connection, the queue in front of it, and the watches.
//
//   each turn: refusals and new watches ─▶ compaction requests ─▶ one transaction (expired keys, queued writes,
//   a slice of the sweep) ─▶ COMMIT ─▶ events ─▶ callbacks ─▶ checkpoint if the log is long

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/versions.h"
#include "store/watch_set.h"

namespace stead::store {

class Writer {
 public:
  // Opens the file, recovers its state and starts the thread.
  static Result<std::unique_ptr<Writer>> start(const SqliteOptions& options);
  // Ends the batch in progress, fails what is queued with kUnavailable, ends the watches, joins the thread.
  ~Writer();

  // Any thread; as in store.h.
  void write(Write write, WriteCallback done);
  Result<std::unique_ptr<Watch>> watch(const std::string& prefix, int64_t after_revision,
                                       std::shared_ptr<WatchSink> sink);
  Result<void> compact(int64_t revision);
  int64_t revision() const { return revision_; }

 private:
  struct Queued {
    Write write;
    WriteCallback done;
  };
  struct Refused {
    Error error;
    WriteCallback done;
  };
  struct CompactRequest {
    int64_t revision;
    std::promise<Result<void>> done;
  };
  struct Inbox {
    std::deque<Queued> writes;
    size_t write_bytes = 0;
    std::vector<Refused> refused;
    std::vector<std::shared_ptr<WatchChannel>> starting;
    std::vector<CompactRequest> compactions;
    bool closing = false;

    bool empty() const {
      return writes.empty() && refused.empty() && starting.empty() && compactions.empty() && !closing;
    }
  };
  // What a transaction did, kept until its COMMIT is through.
  struct Batch {
    int64_t revision = 0;
    int64_t swept = 0;
    std::vector<WatchEvent> events;
    std::vector<WriteOutcome> outcomes;
    std::set<std::pair<WallTime, std::string>> expiries_added;
    std::set<std::pair<WallTime, std::string>> expiries_removed;
  };

  Writer(const SqliteOptions& options, Connection connection);
  Result<void> recover();
  void post(std::unique_lock<std::mutex> lock);

  // Writer thread.
  void run();
  Inbox next_work();
  std::optional<Duration> time_to_background_work() const;
  void start_watch(const std::shared_ptr<WatchChannel>& channel);
  Result<void> compact_now(int64_t revision);
  void commit(std::deque<Queued> writes);
  Result<void> run_transaction(const std::deque<Queued>& writes, bool background, Batch& batch);
  Result<WriteOutcome> apply(const Write& write, Batch& batch);
  void publish(Batch batch, std::deque<Queued> writes);
  void close(Inbox work);
  Error expired(int64_t revision) const;

  const SqliteOptions options_;
  Connection connection_;
  std::optional<Versions> versions_;
  WatchSet watches_;
  std::set<std::pair<WallTime, std::string>> expiries_;
  int64_t swept_ = 0;
  Instant background_paused_until_{};  // after a failure, so that a full disk does not make a busy loop

  std::atomic<int64_t> revision_{kFirstRevision};
  std::atomic<int64_t> compacted_{0};

  std::mutex mutex_;  // guards inbox_
  std::condition_variable wake_;
  Inbox inbox_;
  std::thread thread_;
};

}  // namespace stead::store
