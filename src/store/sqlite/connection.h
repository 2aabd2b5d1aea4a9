#pragma once

// SQLite's C interface as values: a connection and its prepared statements, errors as Result. A connection and its
// statements belong to one thread at a time.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace stead::store {

// A prepared statement; ends with its connection at the latest.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Parameters count from 1. Bytes are not copied: they must live until reset() or the end of run().
  Statement& bind(int index, int64_t value);
  Statement& bind(int index, std::string_view bytes);
  Statement& bind_null(int index);

  // Whether there is a (further) row to read with the functions below.
  Result<bool> step();
  // Steps to the end and resets.
  Result<void> run();
  void reset();

  int64_t integer(int column) const;
  std::string_view bytes(int column) const;  // until the next step() or reset()
  bool is_null(int column) const;

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

// Resets a statement at the end of a scope, so that its read lock ends and its bound bytes may go.
class StatementScope {
 public:
  explicit StatementScope(Statement& statement) : statement_(statement) {}
  ~StatementScope() { statement_.reset(); }
  StatementScope(const StatementScope&) = delete;
  StatementScope& operator=(const StatementScope&) = delete;

 private:
  Statement& statement_;
};

class Connection {
 public:
  // Opens (and makes) the file. `vfs` names the SQLite layer below; empty: the system's.
  static Result<Connection> open(const std::string& path, const std::string& vfs);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept = delete;
  ~Connection();

  Result<Statement> prepare(std::string_view sql);
  // Runs statements that give no rows (or whose rows do not matter).
  Result<void> execute(const std::string& sql);
  // The first column of the first row.
  Result<std::string> text(const std::string& sql);
  Result<int64_t> integer(const std::string& sql);

  // begin() takes the write lock at once. rollback() also clears up after a failed commit.
  Result<void> begin();
  Result<void> commit();
  void rollback();

  // Moves the write-ahead log into the database as far as no reader needs it.
  Result<void> checkpoint();
  // Pages in the write-ahead log after the last commit of this connection.
  int wal_pages() const { return *wal_pages_; }

 private:
  explicit Connection(sqlite3* database);

  sqlite3* database_;
  std::unique_ptr<int> wal_pages_;
};

}  // namespace stead::store
