#include "store/memory/memory_store.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "store/decide.h"
#include "store/watch_set.h"

namespace stead::store {
namespace {

// What the loop is still to be told, in order: the report of a write, or the start of a watch.
struct Delivery {
  std::optional<WatchEvent> event;
  WriteCallback done;
  std::optional<Result<WriteOutcome>> outcome;
  std::shared_ptr<WatchChannel> starting;
  std::vector<WatchEvent> backlog;  // of `starting`
};

bool is_tombstone(const KeyValue& version) { return version.value == nullptr; }

// The state, kept apart from MemoryStore so that tasks already posted may find it gone.
class State : public std::enable_shared_from_this<State> {
 public:
  State(loop::Loop& loop, MemoryOptions options) : loop_(loop), options_(options) {}

  void write(const Write& write, WriteCallback done) {
    std::lock_guard lock(mutex_);
    Delivery delivery;
    delivery.done = std::move(done);
    Result<void> checked = check_write(write);
    if (!checked.ok()) {
      delivery.outcome = checked.error();
    } else if (pending_.size() >= options_.queue_max) {
      delivery.outcome = make_error(Reason::kTooManyRequests, "store: too many writes wait; try again");
    } else {
      delivery.outcome = apply(write, delivery.event);
    }
    enqueue(std::move(delivery));
  }

  Result<RangeResult> range(const RangeRequest& request) {
    std::lock_guard lock(mutex_);
    if (request.revision < 0 || request.revision > revision_) {
      return make_error(Reason::kBadRequest, "store: revision " + std::to_string(request.revision) + " does not exist");
    }
    if (request.revision != 0 && request.revision < compacted_) return expired(request.revision);
    int64_t revision = request.revision != 0 ? request.revision : revision_;
    RangeResult result;
    result.revision = request.revision != 0 ? request.revision : revision_;
    for (auto at = versions_.lower_bound(request.start); at != versions_.end() && covers(request, at->first); ++at) {
      const KeyValue* found = version_at(at->second, revision);
      if (found == nullptr || is_tombstone(*found)) continue;
      if (request.limit != 0 && result.entries.size() == request.limit) {
        result.more = true;
        break;
      }
      result.entries.push_back(*found);
    }
    return result;
  }

  Result<std::unique_ptr<Watch>> watch(const std::string& prefix, int64_t after_revision,
                                       std::shared_ptr<WatchSink> sink) {
    std::lock_guard lock(mutex_);
    if (after_revision + 1 < compacted_) return expired(after_revision);
    Delivery delivery;
    delivery.starting = std::make_shared<WatchChannel>(prefix, after_revision, std::move(sink));
    for (int64_t at = std::max(after_revision + 1, log_first_); at <= revision_; ++at) {
      WatchEvent event = event_at(at);
      if (delivery.starting->wants(event)) delivery.backlog.push_back(std::move(event));
    }
    auto handle = make_watch(delivery.starting);
    enqueue(std::move(delivery));
    return handle;
  }

  int64_t revision() {
    std::lock_guard lock(mutex_);
    return revision_;
  }

  Result<void> compact(int64_t revision) {
    std::lock_guard lock(mutex_);
    if (revision > revision_) {
      return make_error(Reason::kBadRequest, "store: revision " + std::to_string(revision) + " is in the future");
    }
    if (revision < compacted_) return expired(revision);
    compacted_ = revision;
    for (; log_first_ < revision; ++log_first_) {
      trim(log_.front(), revision);
      log_.pop_front();
    }
    if (!log_.empty()) trim(log_.front(), revision);
    return {};
  }

  // Loop thread: reports everything that is pending.
  void pump() {
    std::vector<Delivery> pending;
    {
      std::lock_guard lock(mutex_);
      pump_posted_ = false;
      pending.swap(pending_);
    }
    auto first = pending.begin();
    for (auto at = pending.begin(); at != pending.end(); ++at) {
      if (!at->starting) continue;
      report(first, at);
      at->starting->deliver(std::move(at->backlog));
      watches_.add(std::move(at->starting));
      first = at + 1;
    }
    report(first, pending.end());
  }

  void close() {
    if (!loop_.in_loop()) return;
    pump();
    watches_.end_all(make_error(Reason::kUnavailable, "store: closed"));
  }

 private:
  using Versions = std::vector<KeyValue>;  // of one key, ascending; a null value marks a deletion

  static const KeyValue* version_at(const Versions& versions, int64_t revision) {
    for (auto at = versions.rbegin(); at != versions.rend(); ++at) {
      if (at->mod_revision <= revision) return &*at;
    }
    return nullptr;
  }

  Error expired(int64_t revision) const {
    return make_error(Reason::kExpired, "store: revision " + std::to_string(revision) +
                                            " is compacted; the oldest is " + std::to_string(compacted_));
  }

  Result<WriteOutcome> apply(const Write& write, std::optional<WatchEvent>& event) {
    auto found = versions_.find(write.key);
    const KeyValue* current = found == versions_.end() ? nullptr : &found->second.back();
    if (current != nullptr && is_tombstone(*current)) current = nullptr;
    WriteOutcome outcome;
    Decision decision = decide(write, current, revision_ + 1);
    outcome.applied = decision.applied;
    if (!decision.applied) {
      outcome.revision = revision_;
      if (current != nullptr) outcome.current = *current;
      return outcome;
    }
    outcome.revision = ++revision_;
    event = make_event(write, decision.entry, current == nullptr ? std::optional<KeyValue>() : *current);
    if (current != nullptr && current->expires_at) expiries_.erase({*current->expires_at, write.key});
    if (decision.entry.expires_at) expiries_.emplace(*decision.entry.expires_at, write.key);
    versions_[write.key].push_back(std::move(decision.entry));
    log_.push_back(write.key);
    arm_expiry();
    return outcome;
  }

  WatchEvent event_at(int64_t revision) const {
    const Versions& versions = versions_.find(log_[static_cast<size_t>(revision - log_first_)])->second;
    auto at = std::find_if(versions.begin(), versions.end(), [&](const auto& v) { return v.mod_revision == revision; });
    WatchEvent event;
    event.type = is_tombstone(*at) ? WatchEvent::Type::kDelete : WatchEvent::Type::kPut;
    event.entry = *at;
    if (at != versions.begin() && !is_tombstone(*(at - 1))) event.previous = *(at - 1);
    return event;
  }

  // Drops what no read at `revision` or later sees. A deletion at `revision` itself stays for watches.
  void trim(const std::string& key, int64_t revision) {
    auto found = versions_.find(key);
    if (found == versions_.end()) return;
    Versions& versions = found->second;
    auto keep =
        std::find_if(versions.begin(), versions.end(), [&](const auto& v) { return v.mod_revision > revision; });
    if (keep != versions.begin()) --keep;
    if (is_tombstone(*keep) && keep->mod_revision < revision) ++keep;
    versions.erase(versions.begin(), keep);
    if (versions.empty()) versions_.erase(found);
  }

  void enqueue(Delivery delivery) {
    pending_.push_back(std::move(delivery));
    if (std::exchange(pump_posted_, true)) return;
    loop_.post([weak = weak_from_this()] {
      if (auto state = weak.lock()) state->pump();
    });
  }

  template <class Iterator>
  void report(Iterator first, Iterator last) {
    std::vector<WatchEvent> events;
    for (auto at = first; at != last; ++at) {
      if (at->event) events.push_back(std::move(*at->event));
    }
    watches_.deliver(std::move(events));
    for (auto at = first; at != last; ++at) {
      if (at->done) at->done(std::move(*at->outcome));
    }
  }

  void arm_expiry() {
    if (expiries_.empty()) return;
    WallTime first = expiries_.begin()->first;
    if (armed_for_ && *armed_for_ <= first) return;
    armed_for_ = first;
    Duration delay = std::max(first - loop_.wall_now(), Duration(0));
    loop_.call_after(delay, [weak = weak_from_this()] {
      if (auto state = weak.lock()) state->expire();
    });
  }

  void expire() {
    std::lock_guard lock(mutex_);
    armed_for_.reset();
    while (!expiries_.empty() && expiries_.begin()->first <= loop_.wall_now()) {
      Write write;
      write.key = expiries_.begin()->second;
      Delivery delivery;
      delivery.outcome = apply(write, delivery.event);
      enqueue(std::move(delivery));
    }
    arm_expiry();
  }

  loop::Loop& loop_;
  const MemoryOptions options_;
  WatchSet watches_;  // loop thread

  std::mutex mutex_;  // guards everything below
  std::map<std::string, Versions, std::less<>> versions_;
  std::deque<std::string> log_;  // the key changed by revision log_first_ + index
  int64_t log_first_ = kFirstRevision + 1;
  int64_t revision_ = kFirstRevision;
  int64_t compacted_ = 0;
  std::set<std::pair<WallTime, std::string>> expiries_;
  std::optional<WallTime> armed_for_;
  std::vector<Delivery> pending_;
  bool pump_posted_ = false;
};

class MemoryStore final : public Store {
 public:
  MemoryStore(loop::Loop& loop, MemoryOptions options) : state_(std::make_shared<State>(loop, options)) {}
  ~MemoryStore() override { state_->close(); }

  void write(Write write, WriteCallback done) override { state_->write(write, std::move(done)); }
  Result<RangeResult> range(const RangeRequest& request) override { return state_->range(request); }
  Result<std::unique_ptr<Watch>> watch(const std::string& prefix, int64_t after_revision,
                                       std::shared_ptr<WatchSink> sink) override {
    return state_->watch(prefix, after_revision, std::move(sink));
  }
  int64_t revision() override { return state_->revision(); }
  Result<void> compact(int64_t revision) override { return state_->compact(revision); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Store> open_memory_store(loop::Loop& loop, MemoryOptions options) {
  return std::make_unique<MemoryStore>(loop, options);
}

}  // namespace stead::store
