#include "store/sqlite/writer.h"

#include <pthread.h>

#include <algorithm>

#include "base/log.h"
#include "store/decide.h"

namespace stead::store {
namespace {

constexpr int64_t kSweepSpan = 500;      // revisions swept in one transaction, so that writes do not wait long
constexpr size_t kExpireMax = 500;       // keys deleted by expiry in one transaction
constexpr size_t kHistoryChunk = 1'000;  // events given to a new watch at once
constexpr Duration kBackgroundPause = std::chrono::seconds(1);
constexpr Duration kWaitMax = std::chrono::hours(1);

size_t value_bytes(const Write& write) { return write.value && *write.value ? (*write.value)->size() : 0; }

}  // namespace

Writer::Writer(const SqliteOptions& options, Connection connection)
    : options_(options), connection_(std::move(connection)) {}

Result<std::unique_ptr<Writer>> Writer::start(const SqliteOptions& options) {
  STEAD_TRY(connection, Connection::open(options.path, options.vfs));
  std::unique_ptr<Writer> writer(new Writer(options, std::move(connection)));
  STEAD_TRY_VOID(writer->recover());
  writer->thread_ = std::thread([raw = writer.get()] { raw->run(); });
  return writer;
}

Result<void> Writer::recover() {
  STEAD_TRY(mode, connection_.text("PRAGMA journal_mode = WAL"));
  if (mode != "wal")
    return make_error(Reason::kInternal, "store: no write-ahead log on this file system (" + mode + ")");
  // FULL: every COMMIT waits for fsync of the log (NORMAL would not, and acknowledged writes could be lost).
  STEAD_TRY_VOID(
      connection_.execute("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -4096"));
  STEAD_TRY_VOID(prepare_store(connection_, options_.damage_scan_bytes_max));
  STEAD_TRY(versions, Versions::open(connection_));
  versions_.emplace(std::move(versions));
  STEAD_TRY(revision, versions_->revision());
  STEAD_TRY(compaction, versions_->compaction());
  STEAD_TRY(expiries, versions_->expiries());
  revision_ = revision;
  compacted_ = compaction.compacted;
  swept_ = compaction.swept;
  expiries_.insert(expiries.begin(), expiries.end());
  return {};
}

Writer::~Writer() {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    inbox_.closing = true;
    post(std::move(lock));
  }
  thread_.join();
}

void Writer::post(std::unique_lock<std::mutex> lock) {
  lock.unlock();
  wake_.notify_one();
}

void Writer::write(Write write, WriteCallback done) {
  Result<void> checked = check_write(write);
  size_t bytes = value_bytes(write);
  std::unique_lock lock(mutex_);
  if (!checked.ok()) {
    inbox_.refused.push_back({checked.error(), std::move(done)});
  } else if (inbox_.writes.size() >= options_.queue_max || inbox_.write_bytes + bytes > options_.queue_bytes_max) {
    inbox_.refused.push_back(
        {make_error(Reason::kTooManyRequests, "store: too many writes wait; try again"), std::move(done)});
  } else {
    inbox_.write_bytes += bytes;
    inbox_.writes.push_back({std::move(write), std::move(done)});
  }
  post(std::move(lock));
}

Result<std::unique_ptr<Watch>> Writer::watch(const std::string& prefix, int64_t after_revision,
                                             std::shared_ptr<WatchSink> sink) {
  if (after_revision + 1 < compacted_) return expired(after_revision);
  auto channel = std::make_shared<WatchChannel>(prefix, after_revision, std::move(sink));
  std::unique_lock lock(mutex_);
  inbox_.starting.push_back(channel);
  post(std::move(lock));
  return make_watch(std::move(channel));
}

Result<void> Writer::compact(int64_t revision) {
  STEAD_CHECK(std::this_thread::get_id() != thread_.get_id(), "compact() called from a callback");
  CompactRequest request{revision, {}};
  std::future<Result<void>> done = request.done.get_future();
  std::unique_lock lock(mutex_);
  inbox_.compactions.push_back(std::move(request));
  post(std::move(lock));
  return done.get();
}

Error Writer::expired(int64_t revision) const {
  return make_error(Reason::kExpired, "store: revision " + std::to_string(revision) + " is compacted; the oldest is " +
                                          std::to_string(compacted_));
}

void Writer::run() {
  pthread_setname_np(pthread_self(), "store");
  for (;;) {
    Inbox work = next_work();
    if (work.closing) {
      close(std::move(work));
      return;
    }
    for (Refused& refused : work.refused) refused.done(std::move(refused.error));
    for (const auto& channel : work.starting) start_watch(channel);
    for (CompactRequest& request : work.compactions) request.done.set_value(compact_now(request.revision));
    commit(std::move(work.writes));
    if (connection_.wal_pages() < options_.checkpoint_pages) continue;
    Result<void> moved = connection_.checkpoint();
    if (!moved.ok()) log::warning("store", "the log stays long: {}", moved.error().message);
  }
}

// How long until the next expiry or slice of the sweep; nullopt: there is none.
std::optional<Duration> Writer::time_to_background_work() const {
  std::optional<Duration> wait;
  if (swept_ < compacted_) wait = Duration(0);
  if (!wait && !expiries_.empty()) wait = expiries_.begin()->first - options_.clock->wall_now();
  if (!wait) return wait;
  Duration paused = background_paused_until_ - options_.clock->now();
  return std::clamp(std::max(*wait, paused), Duration(0), kWaitMax);
}

Writer::Inbox Writer::next_work() {
  std::unique_lock lock(mutex_);
  auto ready = [this] { return !inbox_.empty(); };
  std::optional<Duration> wait = time_to_background_work();
  if (wait) {
    wake_.wait_for(lock, *wait, ready);
  } else {
    wake_.wait(lock, ready);
  }
  Inbox work = std::exchange(inbox_, {});
  if (work.writes.size() <= options_.batch_max || work.closing) return work;
  auto rest = work.writes.begin() + static_cast<ptrdiff_t>(options_.batch_max);
  std::move(rest, work.writes.end(), std::back_inserter(inbox_.writes));
  work.writes.erase(rest, work.writes.end());
  for (const Queued& queued : inbox_.writes) inbox_.write_bytes += value_bytes(queued.write);
  return work;
}

void Writer::start_watch(const std::shared_ptr<WatchChannel>& channel) {
  int64_t reached = channel->after_revision();
  if (reached + 1 < compacted_) return channel->end(expired(reached));
  while (reached < revision_ && !channel->closed()) {
    Result<std::vector<WatchEvent>> events = versions_->history(channel->prefix(), reached, kHistoryChunk, reached);
    if (!events.ok()) return channel->end(events.error());
    channel->deliver(std::move(events).value());
  }
  watches_.add(channel);
}

Result<void> Writer::compact_now(int64_t revision) {
  if (revision > revision_) {
    return make_error(Reason::kBadRequest, "store: revision " + std::to_string(revision) + " is in the future");
  }
  if (revision < compacted_) return expired(revision);
  STEAD_TRY_VOID(connection_.begin());
  Result<void> set = versions_->set_compacted(revision);
  if (!set.ok()) {
    connection_.rollback();
    return set;
  }
  STEAD_TRY_VOID(connection_.commit());
  compacted_ = revision;
  return {};
}

void Writer::commit(std::deque<Queued> writes) {
  bool background = time_to_background_work() == Duration(0);
  if (writes.empty() && !background) return;
  Batch batch;
  Result<void> done = connection_.begin();
  if (done.ok()) {
    done = run_transaction(writes, background, batch);
    if (done.ok()) {
      done = connection_.commit();
    } else {
      connection_.rollback();
    }
  }
  if (done.ok()) return publish(std::move(batch), std::move(writes));
  Error error = done.error();
  error.reason = Reason::kUnavailable;
  log::error("store", "{} writes failed: {}", writes.size(), error.message);
  background_paused_until_ = options_.clock->now() + kBackgroundPause;
  for (Queued& queued : writes) queued.done(error);
}

Result<void> Writer::run_transaction(const std::deque<Queued>& writes, bool background, Batch& batch) {
  batch.revision = revision_;
  batch.swept = swept_;
  if (background) {
    size_t count = 0;
    for (auto at = expiries_.begin(); at != expiries_.end() && count < kExpireMax; ++at, ++count) {
      if (at->first > options_.clock->wall_now()) break;
      Write deletion;
      deletion.key = at->second;
      STEAD_TRY_VOID(apply(deletion, batch));
    }
    if (swept_ < compacted_) {
      batch.swept = std::min<int64_t>(swept_ + kSweepSpan, compacted_);
      STEAD_TRY_VOID(versions_->sweep({compacted_, swept_}, batch.swept));
    }
  }
  batch.outcomes.reserve(writes.size());
  for (const Queued& queued : writes) {
    STEAD_TRY(outcome, apply(queued.write, batch));
    batch.outcomes.push_back(std::move(outcome));
  }
  return {};
}

Result<WriteOutcome> Writer::apply(const Write& write, Batch& batch) {
  STEAD_TRY(current, versions_->latest(write.key));
  Decision decision = decide(write, current ? &*current : nullptr, batch.revision + 1);
  WriteOutcome outcome;
  outcome.applied = decision.applied;
  if (!decision.applied) {
    outcome.revision = batch.revision;
    outcome.current = std::move(current);
    return outcome;
  }
  STEAD_TRY_VOID(versions_->append(decision.entry));
  outcome.revision = ++batch.revision;
  auto change_expiry = [](auto& into, auto& out_of, const KeyValue& entry) {
    if (!entry.expires_at) return;
    std::pair<WallTime, std::string> item(*entry.expires_at, entry.key);
    out_of.erase(item);
    into.insert(std::move(item));
  };
  if (current) change_expiry(batch.expiries_removed, batch.expiries_added, *current);
  change_expiry(batch.expiries_added, batch.expiries_removed, decision.entry);
  batch.events.push_back(make_event(write, decision.entry, std::move(current)));
  return outcome;
}

void Writer::publish(Batch batch, std::deque<Queued> writes) {
  for (const auto& item : batch.expiries_removed) expiries_.erase(item);
  expiries_.merge(batch.expiries_added);
  revision_ = batch.revision;
  swept_ = batch.swept;
  watches_.deliver(std::move(batch.events));
  for (size_t index = 0; index < writes.size(); ++index) writes[index].done(std::move(batch.outcomes[index]));
}

void Writer::close(Inbox work) {
  Error closed = make_error(Reason::kUnavailable, "store: closed");
  for (Refused& refused : work.refused) refused.done(std::move(refused.error));
  for (Queued& queued : work.writes) queued.done(closed);
  for (CompactRequest& request : work.compactions) request.done.set_value(closed);
  for (const auto& channel : work.starting) channel->end(closed);
  watches_.end_all(closed);
}

}  // namespace stead::store
