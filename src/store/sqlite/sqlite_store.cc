#include "store/sqlite/sqlite_store.h"

#include "store/sqlite/reader_pool.h"
#include "store/sqlite/store_file.h"
#include "store/sqlite/writer.h"

namespace stead::store {
namespace {

class SqliteStore final : public Store {
 public:
  SqliteStore(StoreFile file, const SqliteOptions& options, std::unique_ptr<Writer> writer)
      : file_(std::move(file)),
        readers_(options.path, options.vfs, std::max<size_t>(options.readers_max, 1)),
        writer_(std::move(writer)) {}

  void write(Write write, WriteCallback done) override { writer_->write(std::move(write), std::move(done)); }
  Result<RangeResult> range(const RangeRequest& request) override { return readers_.range(request); }
  Result<std::unique_ptr<Watch>> watch(const std::string& prefix, int64_t after_revision,
                                       std::shared_ptr<WatchSink> sink) override {
    return writer_->watch(prefix, after_revision, std::move(sink));
  }
  int64_t revision() override { return writer_->revision(); }
  Result<void> compact(int64_t revision) override { return writer_->compact(revision); }

 private:
  StoreFile file_;  // first, so that it is given up last
  ReaderPool readers_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(SqliteOptions options) {
  STEAD_TRY(file, StoreFile::claim(options.path));
  Result<std::unique_ptr<Writer>> writer = Writer::start(options);
  if (!writer.ok()) {
    const std::string& message = writer.error().message;
    return message.find(options.path) == std::string::npos ? writer.error().with_context(options.path) : writer.error();
  }
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(file), options, std::move(writer).value()));
}

}  // namespace stead::store
