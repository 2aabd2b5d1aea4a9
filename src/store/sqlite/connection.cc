#include "store/sqlite/connection.h"

#include <sqlite3.h>

#include <utility>

namespace stead::store {
namespace {

// What a person should know; the rest is SQLite's own text.
Error sqlite_error(sqlite3* database, int code) {
  const char* detail = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const char* file = database != nullptr ? sqlite3_db_filename(database, nullptr) : nullptr;
  std::string where = file != nullptr && *file != '\0' ? std::string("store ") + file + ": " : std::string("store: ");
  switch (code & 0xff) {
    case SQLITE_FULL:
      return make_error(Reason::kUnavailable, where + "the disk is full; free some space");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return make_error(Reason::kInternal,
                        where + "the file is damaged or not a store (" + detail + "); restore it from a backup");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return make_error(Reason::kUnavailable, where + "the file is in use by another process");
    case SQLITE_IOERR:
      return make_error(Reason::kUnavailable,
                        where + "the disk failed (" + detail + ", code " + std::to_string(code) + ")");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return make_error(Reason::kUnavailable, where + "the file cannot be opened for writing (" + detail + ")");
    default:
      return make_error(Reason::kInternal, where + detail);
  }
}

int remember_wal_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), statement_(std::exchange(other.statement_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(statement_, other.statement_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, int64_t value) {
  STEAD_CHECK(sqlite3_bind_int64(statement_, index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, std::string_view bytes) {
  // A null pointer would bind NULL; empty bytes are not that.
  const char* data = bytes.data() != nullptr ? bytes.data() : "";
  STEAD_CHECK(sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_null(int index) {
  STEAD_CHECK(sqlite3_bind_null(statement_, index) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(database_, sqlite3_extended_errcode(database_));
}

Result<void> Statement::run() {
  StatementScope scope(*this);
  for (;;) {
    STEAD_TRY(more, step());
    if (!more) return {};
  }
}

void Statement::reset() {
  if (statement_ != nullptr) sqlite3_reset(statement_);
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
  return {static_cast<const char*>(data), data == nullptr ? 0 : size};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Connection::Connection(sqlite3* database) : database_(database), wal_pages_(std::make_unique<int>(0)) {}

Connection::Connection(Connection&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), wal_pages_(std::move(other.wal_pages_)) {}

Connection::~Connection() {
  // v2: statements that are destroyed a little later still find their connection.
  if (database_ != nullptr) sqlite3_close_v2(database_);
}

Result<Connection> Connection::open(const std::string& path, const std::string& vfs) {
  sqlite3* database = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  int code = sqlite3_open_v2(path.c_str(), &database, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    Error error = sqlite_error(database, code);
    sqlite3_close_v2(database);
    return error.with_context(path);
  }
  Connection connection(database);
  sqlite3_extended_result_codes(database, 1);
  // Readers and the writer exclude each other only for moments, when the log is rewound.
  sqlite3_busy_timeout(database, 5000);
  sqlite3_wal_hook(database, remember_wal_pages, connection.wal_pages_.get());
  return connection;
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                &statement, nullptr);
  if (code != SQLITE_OK) return sqlite_error(database_, code);
  return Statement(database_, statement);
}

Result<void> Connection::execute(const std::string& sql) {
  int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(database_, code);
  return {};
}

Result<std::string> Connection::text(const std::string& sql) {
  STEAD_TRY(statement, prepare(sql));
  STEAD_TRY(found, statement.step());
  return found ? std::string(statement.bytes(0)) : std::string();
}

Result<int64_t> Connection::integer(const std::string& sql) {
  STEAD_TRY(statement, prepare(sql));
  STEAD_TRY(found, statement.step());
  return found ? statement.integer(0) : int64_t{0};
}

Result<void> Connection::begin() { return execute("BEGIN IMMEDIATE"); }

Result<void> Connection::commit() {
  Result<void> done = execute("COMMIT");
  if (!done.ok()) rollback();
  return done;
}

void Connection::rollback() {
  // Some failures have ended the transaction already.
  if (sqlite3_get_autocommit(database_) == 0) (void)execute("ROLLBACK");
}

Result<void> Connection::checkpoint() {
  int left = 0;
  int moved = 0;
  int code = sqlite3_wal_checkpoint_v2(database_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &left, &moved);
  if (code != SQLITE_OK) return sqlite_error(database_, code);
  *wal_pages_ = left - moved;
  return {};
}

}  // namespace stead::store
