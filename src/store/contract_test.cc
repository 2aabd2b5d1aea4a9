// Every store is held to one model: random operations, each answer and every watch compared with what the model says.
// STEAD_STORE_RUNS sets how many random histories are tried for each store; a failure names its seed.

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "loop/asio_loop.h"
#include "loop/simulated_loop.h"
#include "store/memory/memory_store.h"
#include "store/sealed/sealed_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store.h"

namespace stead::store {
namespace {

using namespace std::chrono_literals;

class ManualClock final : public Clock {
 public:
  WallTime wall_now() const override { return WallTime(Duration(micros_.load())); }
  Instant now() const override { return Instant(Duration(micros_.load())); }
  void advance(Duration span) { micros_ += span.count(); }

 private:
  std::atomic<int64_t> micros_{1'000'000'000'000};
};

// A store under test, with what it takes to wait for its answers and to let time pass.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Store& store() = 0;
  // Returns once `done` holds; it becomes true through a callback or an event of the store.
  virtual void wait(const std::function<bool()>& done) = 0;
  virtual void advance(Duration span) = 0;
  virtual WallTime wall_now() = 0;

  WriteOutcome write(Write write) {
    Result<WriteOutcome> outcome = try_write(std::move(write));
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return outcome.ok() ? *outcome : WriteOutcome{};
  }
  Result<WriteOutcome> try_write(Write write) {
    auto answer = std::make_shared<std::pair<std::mutex, std::optional<Result<WriteOutcome>>>>();
    store().write(std::move(write), [answer](Result<WriteOutcome> outcome) {
      std::lock_guard lock(answer->first);
      EXPECT_FALSE(answer->second.has_value()) << "called back twice";
      answer->second = std::move(outcome);
    });
    wait([&] {
      std::lock_guard lock(answer->first);
      return answer->second.has_value();
    });
    return *answer->second;
  }
};

class MemorySubject : public Subject {
 public:
  MemorySubject() : loop_(simulation_.make_loop()), store_(open_memory_store(loop_)) {}
  Store& store() override { return *store_; }
  void wait(const std::function<bool()>& done) override { ASSERT_TRUE(simulation_.run_until(done, 1s)); }
  void advance(Duration span) override { simulation_.run_for(span); }
  WallTime wall_now() override { return loop_.wall_now(); }

 protected:
  loop::Simulation simulation_{1};
  loop::SimulatedLoop& loop_;
  std::unique_ptr<Store> store_;
};

// Some values sealed, some not.
class SealedSubject final : public MemorySubject {
 public:
  SealedSubject() {
    SealedOptions options{{{"k", std::string(kSealingKeyBytes, 'k')}}, {"/a", "/b/", "/empty"}};
    store_ = std::move(*seal_store(std::move(store_), std::move(options)));
  }
};

class SqliteSubject final : public Subject {
 public:
  SqliteSubject() {
    std::string pattern = std::filesystem::temp_directory_path() / "stead-store-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    SqliteOptions options;
    options.path = directory_ / "store.db";
    options.clock = &clock_;
    store_ = std::move(open_sqlite_store(options)).value();
  }
  ~SqliteSubject() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  Store& store() override { return *store_; }
  // Events come from the store's own thread: a no-op write that comes back tells that another batch is through.
  void wait(const std::function<bool()>& done) override {
    auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the store does not answer";
      round_trip();
    }
  }
  // The writer thread looks at the clock before each batch.
  void advance(Duration span) override {
    clock_.advance(span);
    round_trip();
  }
  WallTime wall_now() override { return clock_.wall_now(); }

 private:
  void round_trip() {
    std::mutex mutex;
    std::condition_variable wake;
    bool back = false;
    Write nothing;
    nothing.key = "/no/such/key";
    store_->write(std::move(nothing), [&](const Result<WriteOutcome>&) {
      std::lock_guard lock(mutex);
      back = true;
      wake.notify_one();
    });
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return back; });
  }

  ManualClock clock_;
  std::filesystem::path directory_;
  std::unique_ptr<Store> store_;
};

class Recorder final : public WatchSink {
 public:
  void on_events(std::vector<WatchEvent> events) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(events.empty());
    for (WatchEvent& event : events) {
      EXPECT_TRUE(events_.empty() || event.entry.mod_revision > events_.back().entry.mod_revision);
      events_.push_back(std::move(event));
    }
  }
  void on_end(Error error) override {
    std::lock_guard lock(mutex_);
    EXPECT_FALSE(ended_.has_value());
    ended_ = std::move(error);
  }
  std::vector<WatchEvent> events() {
    std::lock_guard lock(mutex_);
    return events_;
  }
  int64_t last_revision() {
    std::lock_guard lock(mutex_);
    return events_.empty() ? 0 : events_.back().entry.mod_revision;
  }
  std::optional<Error> ended() {
    std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  std::mutex mutex_;
  std::vector<WatchEvent> events_;
  std::optional<Error> ended_;
};

std::string text(const std::optional<KeyValue>& entry) {
  if (!entry) return "nothing";
  std::string shown = entry->key + "@" + std::to_string(entry->mod_revision);
  if (!entry->value) return shown + " deleted";
  return shown + " created " + std::to_string(entry->create_revision) + " version " + std::to_string(entry->version) +
         " value " + std::to_string(std::hash<std::string>{}(*entry->value)) +
         (entry->expires_at ? " expires " + std::to_string(entry->expires_at->time_since_epoch().count()) : "");
}

std::string text(const WatchEvent& event, bool with_previous) {
  std::string shown = event.type == WatchEvent::Type::kPut ? "put " : "delete ";
  return shown + text(event.entry) + (with_previous ? " was " + text(event.previous) : "");
}

// The whole key space as of each revision: slow, and plainly right.
class Model {
 public:
  using Space = std::map<std::string, KeyValue>;

  Model() : spaces_{{}, {}} {}  // revisions 0 and 1
  int64_t revision() const { return static_cast<int64_t>(spaces_.size()) - 1; }
  const Space& at(int64_t revision) const { return spaces_[static_cast<size_t>(revision)]; }
  const Space& now() const { return spaces_.back(); }

  WriteOutcome write(const Write& write) {
    Space next = now();
    auto found = next.find(write.key);
    bool there = found != next.end();
    bool holds = write.expect == Write::Expect::kAny || (write.expect == Write::Expect::kAbsent && !there) ||
                 (write.expect == Write::Expect::kRevision && there && found->second.mod_revision == write.revision);
    WriteOutcome outcome;
    if (!holds || (!write.value && !there)) {
      outcome.revision = revision();
      if (there) outcome.current = found->second;
      return outcome;
    }
    int64_t made = revision() + 1;
    WatchEvent event;
    if (there) event.previous = found->second;
    if (write.value) {
      KeyValue entry{write.key,
                     *write.value,
                     there ? found->second.create_revision : made,
                     made,
                     there ? found->second.version + 1 : 1,
                     write.expires_at};
      event.entry = entry;
      next[write.key] = entry;
    } else {
      event.type = WatchEvent::Type::kDelete;
      event.entry.key = write.key;
      event.entry.mod_revision = made;
      next.erase(found);
    }
    events.push_back(event);
    spaces_.push_back(std::move(next));
    outcome.applied = true;
    outcome.revision = made;
    return outcome;
  }

  void expire(WallTime now_time) {
    std::map<std::pair<WallTime, std::string>, bool> due;
    for (const auto& [key, entry] : now()) {
      if (entry.expires_at && *entry.expires_at <= now_time) due[{*entry.expires_at, key}] = true;
    }
    for (const auto& [item, unused] : due) {
      Write deletion;
      deletion.key = item.second;
      (void)write(deletion);
    }
  }

  std::vector<WatchEvent> events;
  int64_t compacted = 0;

 private:
  std::vector<Space> spaces_;
};

class Walk {
 public:
  Walk(Subject& subject, uint64_t seed) : subject_(subject), random_(seeded_random(seed)) {}

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFatalFailure(); ++step) {
      switch (random_->below(12)) {
        case 0:
        case 1:
          range();
          break;
        case 2:
          watch();
          break;
        case 3:
          if (random_->below(3) == 0) compact();
          break;
        case 4:
          pass_time();
          break;
        case 5:
          if (!watches_.empty() && random_->below(3) == 0) watches_.erase(watches_.begin());
          break;
        default:
          write();
      }
    }
    check_watches();
  }

 private:
  struct Followed {
    std::string prefix;
    int64_t after;
    int64_t compacted_at_start;
    std::shared_ptr<Recorder> recorder;
    std::unique_ptr<Watch> watch;
  };

  std::string any_key() {
    static const char* const kRooms[] = {"/a/", "/a/b/", "/b/", "/a0"};
    return kRooms[random_->below(4)] + std::string(1, static_cast<char>('k' + random_->below(4)));
  }
  int64_t any_revision() { return static_cast<int64_t>(random_->below(static_cast<uint64_t>(model_.revision()) + 3)); }

  void write() {
    Write write;
    write.key = any_key();
    if (random_->below(4) != 0) {
      size_t size = random_->below(20) == 0 ? 20'000 : random_->below(30);
      write.value = std::make_shared<const std::string>(size, static_cast<char>(random_->next_u64()));
      if (random_->below(4) == 0) write.expires_at = subject_.wall_now() + random_->below(5000) * 1ms;
    }
    write.expect = static_cast<Write::Expect>(random_->below(3));
    auto known = model_.now().find(write.key);
    write.revision =
        known != model_.now().end() && random_->below(3) != 0 ? known->second.mod_revision : any_revision();
    auto attachment = std::make_shared<int>(7);
    write.attachment = attachment;
    model_.expire(subject_.wall_now());
    WriteOutcome expected = model_.write(write);
    WriteOutcome got = subject_.write(write);
    ASSERT_EQ(got.applied, expected.applied);
    ASSERT_EQ(got.revision, expected.revision);
    ASSERT_EQ(text(got.current), text(expected.current));
    // The event came before the callback.
    for (const Followed& followed : watches_) {
      if (!got.applied || !write.key.starts_with(followed.prefix) || followed.after >= got.revision) continue;
      ASSERT_EQ(followed.recorder->last_revision(), got.revision);
      ASSERT_EQ(followed.recorder->events().back().attachment, attachment);
    }
  }

  void range() {
    RangeRequest request;
    request.start = any_key().substr(0, 1 + random_->below(6));
    if (random_->below(4) != 0) request.end = random_->below(3) == 0 ? std::string(1, '\0') : prefix_end(request.start);
    if (random_->below(8) == 0) request.end = any_key();
    request.limit = random_->below(4);
    request.revision = random_->below(2) == 0 ? 0 : any_revision();
    Result<RangeResult> got = subject_.store().range(request);
    if (request.revision > model_.revision()) {
      ASSERT_EQ(got.error().reason, Reason::kBadRequest);
      return;
    }
    if (request.revision != 0 && request.revision < model_.compacted) {
      ASSERT_EQ(got.error().reason, Reason::kExpired);
      return;
    }
    ASSERT_TRUE(got.ok()) << got.error().message;
    int64_t revision = request.revision == 0 ? model_.revision() : request.revision;
    ASSERT_EQ(got->revision, revision);
    std::vector<std::string> expected;
    bool more = false;
    for (const auto& [key, entry] : model_.at(revision)) {
      bool inside = request.end.empty()                   ? key == request.start
                    : request.end == std::string(1, '\0') ? key >= request.start
                                                          : key >= request.start && key < request.end;
      if (!inside) continue;
      more = request.limit != 0 && expected.size() == request.limit;
      if (more) break;
      expected.push_back(text(entry));
    }
    std::vector<std::string> entries;
    for (const KeyValue& entry : got->entries) entries.push_back(text(entry));
    ASSERT_EQ(entries, expected);
    ASSERT_EQ(got->more, more);
  }

  void watch() {
    if (watches_.size() == 5) return;
    std::string prefix = any_key().substr(0, random_->below(6));
    int64_t after = any_revision();
    auto recorder = std::make_shared<Recorder>();
    Result<std::unique_ptr<Watch>> got = subject_.store().watch(prefix, after, recorder);
    if (after + 1 < model_.compacted) {
      ASSERT_EQ(got.error().reason, Reason::kExpired);
      return;
    }
    ASSERT_TRUE(got.ok()) << got.error().message;
    watches_.push_back({prefix, after, model_.compacted, recorder, std::move(got).value()});
    Write nothing;
    nothing.key = "/no/such/key";
    (void)subject_.write(nothing);  // the watch has started once this is through
  }

  void compact() {
    int64_t revision = any_revision();
    Result<void> got = subject_.store().compact(revision);
    if (revision > model_.revision()) {
      ASSERT_EQ(got.error().reason, Reason::kBadRequest);
    } else if (revision < model_.compacted) {
      ASSERT_EQ(got.error().reason, Reason::kExpired);
    } else {
      ASSERT_TRUE(got.ok()) << got.error().message;
      model_.compacted = revision;
    }
  }

  void pass_time() {
    subject_.advance(random_->below(2000) * 1ms);
    model_.expire(subject_.wall_now());
    ASSERT_EQ(subject_.store().revision(), model_.revision());
  }

  void check_watches() {
    for (const Followed& followed : watches_) {
      std::vector<std::string> expected;
      std::vector<std::string> got;
      // What the key held before is known unless compaction has taken it.
      auto known = [&](const WatchEvent& event) { return event.entry.mod_revision > followed.compacted_at_start + 1; };
      for (const WatchEvent& event : model_.events) {
        if (event.entry.mod_revision <= followed.after || !event.entry.key.starts_with(followed.prefix)) continue;
        expected.push_back(text(event, known(event)));
      }
      for (const WatchEvent& event : followed.recorder->events()) got.push_back(text(event, known(event)));
      ASSERT_EQ(got, expected) << "watch of " << followed.prefix << " after " << followed.after;
      ASSERT_FALSE(followed.recorder->ended());
    }
  }

  Subject& subject_;
  std::unique_ptr<Random> random_;
  Model model_;
  std::vector<Followed> watches_;
};

using MakeSubject = std::function<std::unique_ptr<Subject>()>;
struct Implementation {
  std::string name;
  MakeSubject make;
};

class StoreContract : public testing::TestWithParam<Implementation> {
 protected:
  std::unique_ptr<Subject> subject_ = GetParam().make();
  Store& store() { return subject_->store(); }
};

Write put(const std::string& key, const std::string& value) {
  Write write;
  write.key = key;
  write.value = std::make_shared<const std::string>(value);
  return write;
}

Write erase(const std::string& key) {
  Write write;
  write.key = key;
  return write;
}

TEST_P(StoreContract, RandomHistoriesMatchTheModel) {
  const char* runs_text = getenv("STEAD_STORE_RUNS");
  const char* seed_text = getenv("STEAD_STORE_SEED");
  uint64_t first = seed_text != nullptr ? strtoull(seed_text, nullptr, 10) : 1;
  uint64_t runs = seed_text != nullptr ? 1 : runs_text != nullptr ? strtoull(runs_text, nullptr, 10) : 20;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    std::unique_ptr<Subject> subject = GetParam().make();
    Walk(*subject, seed).run(300);
    ASSERT_FALSE(HasFailure()) << "reproduce: STEAD_STORE_SEED=" << seed
                               << " store_test --gtest_filter='*RandomHistoriesMatchTheModel/" << GetParam().name
                               << "'";
  }
}

TEST_P(StoreContract, ValuesHaveALimit) {
  Reason reason = subject_->try_write(put("/big", std::string(kValueBytesMax + 1, 'x'))).error().reason;
  EXPECT_EQ(reason, Reason::kRequestEntityTooLarge);
  EXPECT_TRUE(subject_->write(put("/big", std::string(kValueBytesMax, 'x'))).applied);
  EXPECT_EQ((*store().get("/big"))->value->size(), kValueBytesMax);
  EXPECT_EQ(subject_->try_write(put("", "x")).error().reason, Reason::kBadRequest);
}

TEST_P(StoreContract, AnEmptyValueIsNotAbsence) {
  EXPECT_TRUE(subject_->write(put("/empty", "")).applied);
  ASSERT_TRUE(store().get("/empty").value().has_value());
  EXPECT_EQ(*(*store().get("/empty"))->value, "");
}

TEST_P(StoreContract, ADeletedVersionDoesNotComeBackAfterCompaction) {
  (void)subject_->write(put("/a", "1"));
  (void)subject_->write(erase("/a"));
  (void)subject_->write(put("/b", "1"));
  ASSERT_TRUE(store().compact(store().revision()).ok());
  (void)subject_->write(put("/c", "1"));
  EXPECT_FALSE(store().get("/a").value().has_value());
  EXPECT_TRUE(subject_->write(put("/a", "2")).applied);
  EXPECT_EQ((*store().get("/a"))->version, 1);
}

TEST_P(StoreContract, AWatchAfterCompactionSeesADeletionAtItsEdge) {
  (void)subject_->write(put("/a", "1"));
  int64_t deleted = subject_->write(erase("/a")).revision;
  ASSERT_TRUE(store().compact(deleted).ok());
  (void)subject_->write(put("/b", "1"));
  auto recorder = std::make_shared<Recorder>();
  auto watch = store().watch("/", deleted - 1, recorder);
  ASSERT_TRUE(watch.ok());
  subject_->wait([&] { return recorder->last_revision() == deleted + 1; });
  ASSERT_EQ(recorder->events().size(), 2u);
  EXPECT_EQ(recorder->events()[0].type, WatchEvent::Type::kDelete);
}

TEST_P(StoreContract, NothingReachesASinkOnceItsWatchIsGone) {
  auto recorder = std::make_shared<Recorder>();
  auto watch = store().watch("/", 0, recorder);
  (void)subject_->write(put("/a", "1"));
  size_t seen = recorder->events().size();
  EXPECT_EQ(seen, 1u);
  std::move(watch).value().reset();
  (void)subject_->write(put("/a", "2"));
  EXPECT_EQ(recorder->events().size(), seen);
}

TEST_P(StoreContract, ClosingEndsWatches) {
  auto recorder = std::make_shared<Recorder>();
  auto watch = store().watch("/", 0, recorder);
  (void)subject_->write(put("/a", "1"));
  subject_.reset();
  ASSERT_TRUE(recorder->ended().has_value());
  EXPECT_EQ(recorder->ended()->reason, Reason::kUnavailable);
}

TEST_P(StoreContract, ARenewedKeyDoesNotExpireAtItsOldTime) {
  Write event = put("/event", "1");
  event.expires_at = subject_->wall_now() + 1s;
  (void)subject_->write(event);
  event.expires_at = subject_->wall_now() + 10s;
  (void)subject_->write(event);
  subject_->advance(2s);
  EXPECT_TRUE(store().get("/event").value().has_value());
  subject_->advance(9s);
  EXPECT_FALSE(store().get("/event").value().has_value());
}

INSTANTIATE_TEST_SUITE_P(All, StoreContract,
                         testing::Values(Implementation{"memory", [] { return std::make_unique<MemorySubject>(); }},
                                         Implementation{"sealed", [] { return std::make_unique<SealedSubject>(); }},
                                         Implementation{"sqlite", [] { return std::make_unique<SqliteSubject>(); }}),
                         [](const auto& info) { return info.param.name; });

// Writers on several threads that each read, add one and write back under the revision they read.
void expect_no_increment_lost(Store& store) {
  constexpr int kThreads = 8;
  constexpr int kIncrements = 50;
  auto write = [&](Write write) {
    std::promise<bool> applied;
    store.write(std::move(write), [&](const Result<WriteOutcome>& outcome) { applied.set_value((*outcome).applied); });
    return applied.get_future().get();
  };
  (void)write(put("/count", "0"));
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int done = 0; done < kIncrements;) {
        KeyValue held = *std::move(store.get("/count")).value();
        Write next = put("/count", std::to_string(std::stoi(*held.value) + 1));
        next.expect = Write::Expect::kRevision;
        next.revision = held.mod_revision;
        if (write(next)) ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  KeyValue held = **store.get("/count");
  EXPECT_EQ(*held.value, std::to_string(kThreads * kIncrements));
  EXPECT_EQ(held.version, kThreads * kIncrements + 1);
}

TEST(ConcurrentWriters, LoseNothingInSqlite) { expect_no_increment_lost(SqliteSubject().store()); }

TEST(ConcurrentWriters, LoseNothingInMemory) {
  loop::AsioLoop loop;
  std::unique_ptr<Store> store = open_memory_store(loop);
  loop.start_thread("store");
  expect_no_increment_lost(*store);
  loop.stop();
  loop.join();
}

TEST(MemoryStore, RefusesWritesBeyondItsQueue) {
  loop::Simulation simulation(1);
  MemoryOptions options;
  options.queue_max = 2;
  std::unique_ptr<Store> store = open_memory_store(simulation.make_loop(), options);
  std::vector<bool> applied;
  auto note = [&](const Result<WriteOutcome>& outcome) {
    applied.push_back(outcome.ok());
    EXPECT_TRUE(outcome.ok() || outcome.error().reason == Reason::kTooManyRequests);
  };
  for (int index = 0; index < 4; ++index) store->write(put("/a", "1"), note);
  simulation.run_for(1ms);
  EXPECT_EQ(applied, (std::vector<bool>{true, true, false, false}));
  store->write(put("/a", "1"), note);
  simulation.run_for(1ms);
  EXPECT_TRUE(applied.back());
}

TEST(PrefixEnd, IsTheFirstKeyBeyond) {
  EXPECT_EQ(prefix_end("/a/"), "/a0");
  EXPECT_EQ(prefix_end("a\xff"), "b");
  EXPECT_EQ(prefix_end("\xff"), std::string(1, '\0'));
  EXPECT_EQ(prefix_end(""), std::string(1, '\0'));
}

}  // namespace
}  // namespace stead::store
