#include "store/sqlite/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "store/sqlite/lossy_vfs_test.h"

namespace stead::store {
namespace {

using testing::Test;

class SqliteStoreTest : public Test {
 protected:
  SqliteStoreTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "stead-sqlite-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    options_.path = directory_ / "store.db";
  }
  ~SqliteStoreTest() override {
    LossyDisk::instance().reset();
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<Store> open() { return std::move(open_sqlite_store(options_)).value(); }
  static Write put(const std::string& key, const std::string& value) {
    return Write{.key = key, .value = std::make_shared<const std::string>(value)};
  }
  static Result<WriteOutcome> write(Store& store, Write write) {
    std::promise<Result<WriteOutcome>> answer;
    store.write(std::move(write), [&](Result<WriteOutcome> outcome) { answer.set_value(std::move(outcome)); });
    return answer.get_future().get();
  }

  std::filesystem::path directory_;
  SqliteOptions options_;
};

TEST_F(SqliteStoreTest, RecoversWhatItHeld) {
  int64_t revision = 0;
  {
    auto store = open();
    (void)write(*store, put("/a", "1"));
    (void)write(*store, put("/a", "2"));
    revision = write(*store, put("/b", "1"))->revision;
    ASSERT_TRUE(store->compact(revision - 1).ok());
  }
  auto store = open();
  EXPECT_EQ(store->revision(), revision);
  EXPECT_EQ(*(*store->get("/a"))->value, "2");
  EXPECT_EQ(store->get("/a", revision - 2).error().reason, Reason::kExpired);
  EXPECT_EQ(write(*store, put("/c", "1"))->revision, revision + 1);
}

TEST_F(SqliteStoreTest, FilesAreForTheOwnerAlone) {
  std::ofstream(options_.path).close();
  ASSERT_EQ(chmod(options_.path.c_str(), 0644), 0);
  auto store = open();
  (void)write(*store, put("/a", "1"));
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    struct stat status {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << entry.path();
    ++seen;
  }
  EXPECT_EQ(seen, 4) << "database, log, shared memory, lock";
}

TEST_F(SqliteStoreTest, ASecondServerIsToldWhoHoldsTheFile) {
  auto store = open();
  Error error = open_sqlite_store(options_).error();
  EXPECT_EQ(error.reason, Reason::kUnavailable);
  EXPECT_NE(error.message.find("in use by another stead (process " + std::to_string(getpid()) + ")"), std::string::npos)
      << error.message;
  EXPECT_TRUE(write(*store, put("/a", "1"))->applied);
}

TEST_F(SqliteStoreTest, AFileOfSomethingElseIsRefused) {
  std::ofstream(options_.path) << std::string(8192, 'x');
  Error error = open_sqlite_store(options_).error();
  EXPECT_NE(error.message.find("damaged or not a store"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find(options_.path), std::string::npos) << error.message;
}

TEST_F(SqliteStoreTest, ADamagedFileIsRefused) {
  {
    auto store = open();
    for (int index = 0; index < 200; ++index)
      (void)write(*store, put("/" + std::to_string(index), std::string(900, 'v')));
  }
  {
    std::fstream file(options_.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 3);
    file << std::string(4096 * 4, '\x5a');
  }
  Result<std::unique_ptr<Store>> store = open_sqlite_store(options_);
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.error().message.find("damaged"), std::string::npos) << store.error().message;
}

TEST_F(SqliteStoreTest, AMissingDirectoryIsNamed) {
  options_.path = directory_ / "none" / "store.db";
  Error error = open_sqlite_store(options_).error();
  EXPECT_NE(error.message.find(options_.path), std::string::npos) << error.message;
}

TEST_F(SqliteStoreTest, LivesOnAfterAFullDisk) {
  LossyDisk& disk = LossyDisk::instance();
  options_.vfs = LossyDisk::kVfs;
  auto store = open();
  ASSERT_TRUE(write(*store, put("/a", "1"))->applied);
  int64_t revision = store->revision();
  disk.set_full(true);
  Error error = write(*store, put("/a", "2")).error();
  EXPECT_EQ(error.reason, Reason::kUnavailable);
  EXPECT_NE(error.message.find("disk is full"), std::string::npos) << error.message;
  EXPECT_EQ(store->revision(), revision);
  EXPECT_EQ(*(*store->get("/a"))->value, "1");
  disk.set_full(false);
  disk.set_sync_fails(true);
  EXPECT_EQ(write(*store, put("/a", "3")).error().reason, Reason::kUnavailable);
  disk.set_sync_fails(false);
  EXPECT_EQ(write(*store, put("/a", "4"))->revision, revision + 1);
  EXPECT_EQ(*(*store->get("/a"))->value, "4");
}

// The writer thread is held in a callback while the queue fills.
TEST_F(SqliteStoreTest, AFullQueueRefuses) {
  options_.queue_max = 3;
  auto store = open();
  std::promise<void> entered;
  std::promise<void> release;
  store->write(put("/a", "1"), [&](const Result<WriteOutcome>&) {
    entered.set_value();
    release.get_future().wait();
  });
  entered.get_future().wait();
  std::vector<std::promise<Result<WriteOutcome>>> answers(5);
  for (auto& answer : answers) {
    store->write(put("/b", "1"), [&](Result<WriteOutcome> outcome) { answer.set_value(std::move(outcome)); });
  }
  release.set_value();
  for (size_t index = 0; index < answers.size(); ++index) {
    Result<WriteOutcome> outcome = answers[index].get_future().get();
    EXPECT_EQ(outcome.ok(), index < 3);
    EXPECT_TRUE(outcome.ok() || outcome.error().reason == Reason::kTooManyRequests);
  }
}

TEST_F(SqliteStoreTest, KeysExpireByTheRealClockWithoutAnyWrite) {
  struct Sink final : WatchSink {
    void on_events(std::vector<WatchEvent> events) override {
      if (events.back().type == WatchEvent::Type::kDelete) deleted.set_value(events.back().entry.key);
    }
    void on_end(Error) override {}
    std::promise<std::string> deleted;
  };
  {
    auto store = open();
    Write event = put("/event", "1");
    event.expires_at = system_clock().wall_now() + std::chrono::milliseconds(30);
    (void)write(*store, event);
  }
  auto store = open();
  auto sink = std::make_shared<Sink>();
  auto watch = store->watch("/", 0, sink);
  auto deleted = sink->deleted.get_future();
  ASSERT_EQ(deleted.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(deleted.get(), "/event");
}

TEST_F(SqliteStoreTest, CompactionFreesTheRoomOfOldVersions) {
  auto store = open();
  for (int round = 0; round < 400; ++round) (void)write(*store, put("/a", std::string(10'000, 'v')));
  ASSERT_TRUE(store->compact(store->revision()).ok());
  (void)write(*store, put("/b", "1"));
  uintmax_t before = 0;
  for (int round = 0; round < 2; ++round) {
    for (int index = 0; index < 300; ++index) (void)write(*store, put("/c", std::string(10'000, 'v')));
    store.reset();
    uintmax_t size = std::filesystem::file_size(options_.path);
    EXPECT_TRUE(round == 0 || size < before + before / 4) << before << " then " << size;
    before = size;
    store = open();
    ASSERT_TRUE(store->compact(store->revision()).ok());
    (void)write(*store, put("/b", "1"));
  }
}

}  // namespace
}  // namespace stead::store
