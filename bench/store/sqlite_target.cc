#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "store/sqlite/sqlite_store.h"
#include "store/target.h"

namespace stead::bench {
namespace {

class SqliteTarget final : public Target {
 public:
  explicit SqliteTarget(const std::string& path) {
    store::SqliteOptions options;
    options.path = path;
    store_ = std::move(store::open_sqlite_store(options)).value();
  }

  void create(const std::string& key, const std::string& value) override {
    store::Write write{.key = key, .value = std::make_shared<const std::string>(value)};
    write.expect = store::Write::Expect::kAbsent;
    store_->write(std::move(write), [this](const Result<store::WriteOutcome>& outcome) {
      if (!outcome.ok() || !outcome->applied) {
        fprintf(stderr, "sqlite: %s\n", outcome.ok() ? "the key exists" : outcome.error().message.c_str());
        exit(1);
      }
      std::lock_guard lock(mutex_);
      if (done_++ == 0) wake_.notify_one();
    });
  }

  size_t wait() override {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return done_ > 0; });
    return std::exchange(done_, 0);
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  size_t done_ = 0;
  std::unique_ptr<store::Store> store_;  // last: its thread calls back until it is gone
};

}  // namespace

std::unique_ptr<Target> make_sqlite_target(const std::string& path) { return std::make_unique<SqliteTarget>(path); }

}  // namespace stead::bench
