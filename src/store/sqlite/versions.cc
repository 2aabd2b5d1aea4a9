#include "store/sqlite/versions.h"

#include <limits>

#include "store/decide.h"

namespace stead::store {
namespace {

constexpr int64_t kApplicationId = 0x53544541;  // "STEA": `file` and this program tell a store by it
constexpr int64_t kSchemaVersion = 1;

constexpr const char* kSchema = R"(
CREATE TABLE versions(
  revision INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  create_revision INTEGER NOT NULL,
  version INTEGER NOT NULL,
  expires_at INTEGER,
  value BLOB);
CREATE INDEX versions_by_key ON versions(key);
CREATE INDEX versions_by_expiry ON versions(expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE compaction(compacted INTEGER NOT NULL, swept INTEGER NOT NULL);
INSERT INTO compaction VALUES(0, 0);
)";

constexpr std::string_view kColumns = "revision, key, create_revision, version, expires_at, value";

KeyValue read_row(const Statement& row) {
  KeyValue entry;
  entry.mod_revision = row.integer(0);
  entry.key = row.bytes(1);
  entry.version = row.integer(3);
  if (entry.version == 0) return entry;
  entry.create_revision = row.integer(2);
  if (!row.is_null(4)) entry.expires_at = WallTime(Duration(row.integer(4)));
  entry.value = std::make_shared<const std::string>(row.bytes(5));
  return entry;
}

bool is_deletion(const KeyValue& entry) { return entry.version == 0; }

}  // namespace

Result<void> prepare_store(Connection& connection, int64_t damage_scan_bytes_max) {
  STEAD_TRY(application, connection.integer("PRAGMA application_id"));
  STEAD_TRY(schema, connection.integer("PRAGMA user_version"));
  STEAD_TRY(tables, connection.integer("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) {
    STEAD_TRY_VOID(connection.begin());
    STEAD_TRY_VOID(connection.execute(kSchema + ("PRAGMA application_id = " + std::to_string(kApplicationId)) +
                                      "; PRAGMA user_version = " + std::to_string(kSchemaVersion)));
    return connection.commit();
  }
  if (application != kApplicationId)
    return make_error(Reason::kInternal, "store: the file is a database of another program");
  if (schema != kSchemaVersion) {
    return make_error(Reason::kInternal, "store: the file has schema version " + std::to_string(schema) +
                                             ", this program reads " + std::to_string(kSchemaVersion));
  }
  STEAD_TRY(bytes, connection.integer("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"));
  if (bytes > damage_scan_bytes_max) return {};
  STEAD_TRY(verdict, connection.text("PRAGMA quick_check(1)"));
  if (verdict != "ok")
    return make_error(Reason::kInternal, "store: the file is damaged (" + verdict + "); restore it from a backup");
  return {};
}

Result<Versions> Versions::open(Connection& connection) {
  Versions made(connection);
  std::string columns(kColumns);
  struct {
    Statement* statement;
    std::string sql;
  } const statements[] = {
      {&made.revision_, "SELECT max(revision) FROM versions"},
      {&made.compaction_, "SELECT compacted, swept FROM compaction"},
      {&made.before_,
       "SELECT " + columns + " FROM versions WHERE key = ?1 AND revision < ?2 ORDER BY revision DESC LIMIT 1"},
      {&made.append_, "INSERT INTO versions(" + columns + ") VALUES(?1, ?2, ?3, ?4, ?5, ?6)"},
      {&made.keys_,
       "SELECT key, revision FROM versions INDEXED BY versions_by_key WHERE key >= ?1 ORDER BY key, revision"},
      {&made.by_revision_, "SELECT " + columns + " FROM versions WHERE revision = ?1"},
      {&made.history_, "SELECT " + columns + " FROM versions WHERE revision > ?1 ORDER BY revision"},
      {&made.set_compacted_, "UPDATE compaction SET compacted = ?1"},
      {&made.set_swept_, "UPDATE compaction SET swept = ?1"},
      // What a surviving or deleted newer version supersedes goes first, then deletions that hide nothing any more.
      {&made.sweep_superseded_,
       "DELETE FROM versions WHERE revision IN (SELECT older.revision FROM versions AS newer JOIN versions AS older ON "
       "older.key = newer.key AND older.revision < newer.revision WHERE newer.revision BETWEEN ?1 AND ?2)"},
      {&made.sweep_deletions_,
       "DELETE FROM versions WHERE revision BETWEEN ?1 AND ?2 AND revision < ?3 AND version = 0"},
  };
  for (const auto& [statement, sql] : statements) {
    STEAD_TRY(prepared, connection.prepare(sql));
    *statement = std::move(prepared);
  }
  return made;
}

Result<int64_t> Versions::revision() {
  StatementScope scope(revision_);
  STEAD_TRY_VOID(revision_.step());
  return std::max(revision_.integer(0), kFirstRevision);
}

Result<Compaction> Versions::compaction() {
  StatementScope scope(compaction_);
  STEAD_TRY(found, compaction_.step());
  if (!found) return make_error(Reason::kInternal, "store: the file is damaged (no compaction row)");
  return Compaction{compaction_.integer(0), compaction_.integer(1)};
}

Result<std::optional<KeyValue>> Versions::before(const std::string& key, int64_t revision) {
  StatementScope scope(before_);
  before_.bind(1, key).bind(2, revision);
  STEAD_TRY(found, before_.step());
  if (!found) return std::optional<KeyValue>();
  KeyValue entry = read_row(before_);
  if (is_deletion(entry)) return std::optional<KeyValue>();
  return std::optional<KeyValue>(std::move(entry));
}

Result<std::optional<KeyValue>> Versions::latest(const std::string& key) {
  return before(key, std::numeric_limits<int64_t>::max());
}

Result<void> Versions::append(const KeyValue& entry) {
  append_.bind(1, entry.mod_revision).bind(2, entry.key).bind(3, entry.create_revision).bind(4, entry.version);
  if (entry.expires_at) {
    append_.bind(5, entry.expires_at->time_since_epoch().count());
  } else {
    append_.bind_null(5);
  }
  if (entry.value) {
    append_.bind(6, *entry.value);
  } else {
    append_.bind_null(6);
  }
  return append_.run();
}

Result<RangeResult> Versions::range(const RangeRequest& request) {
  RangeResult result;
  STEAD_TRY_VOID(connection_->execute("BEGIN"));
  Result<void> done = range_in_transaction(request, result);
  connection_->rollback();
  if (!done.ok()) return done.error();
  return result;
}

Result<void> Versions::range_in_transaction(const RangeRequest& request, RangeResult& result) {
  STEAD_TRY(newest, revision());
  STEAD_TRY(compaction, this->compaction());
  if (request.revision < 0 || request.revision > newest) {
    return make_error(Reason::kBadRequest, "store: revision " + std::to_string(request.revision) + " does not exist");
  }
  if (request.revision != 0 && request.revision < compaction.compacted) {
    return make_error(Reason::kExpired, "store: revision " + std::to_string(request.revision) +
                                            " is compacted; the oldest is " + std::to_string(compaction.compacted));
  }
  result.revision = request.revision != 0 ? request.revision : newest;

  // Walks the index alone and fetches one row per key: the last one not above the revision.
  std::string key;
  int64_t found_revision = 0;
  bool full = false;
  auto finish_key = [&]() -> Result<void> {
    if (found_revision == 0) return {};
    StatementScope scope(by_revision_);
    by_revision_.bind(1, std::exchange(found_revision, 0));
    STEAD_TRY(found, by_revision_.step());
    if (!found)
      return make_error(Reason::kInternal, "store: the file is damaged (a row is missing); restore it from a backup");
    if (by_revision_.integer(3) == 0) return {};
    full = request.limit != 0 && result.entries.size() == request.limit;
    if (!full) result.entries.push_back(read_row(by_revision_));
    return {};
  };
  StatementScope scope(keys_);
  keys_.bind(1, request.start);
  for (;;) {
    STEAD_TRY(row, keys_.step());
    bool inside = row && covers(request, keys_.bytes(0));
    if (!inside || keys_.bytes(0) != key) {
      STEAD_TRY_VOID(finish_key());
      if (full || !inside) break;
      key = keys_.bytes(0);
    }
    int64_t revision = keys_.integer(1);
    if (revision <= result.revision) found_revision = revision;
  }
  result.more = full;
  return {};
}

Result<std::vector<WatchEvent>> Versions::history(const std::string& prefix, int64_t after_revision, size_t limit,
                                                  int64_t& reached) {
  std::vector<WatchEvent> events;
  StatementScope scope(history_);
  history_.bind(1, after_revision);
  reached = after_revision;
  while (events.size() < limit) {
    STEAD_TRY(more, history_.step());
    if (!more) {
      reached = std::numeric_limits<int64_t>::max();
      break;
    }
    reached = history_.integer(0);
    if (!history_.bytes(1).starts_with(prefix)) continue;
    WatchEvent event;
    event.entry = read_row(history_);
    event.type = is_deletion(event.entry) ? WatchEvent::Type::kDelete : WatchEvent::Type::kPut;
    STEAD_TRY(previous, before(event.entry.key, event.entry.mod_revision));
    event.previous = std::move(previous);
    events.push_back(std::move(event));
  }
  return events;
}

Result<std::vector<std::pair<WallTime, std::string>>> Versions::expiries() {
  std::vector<std::pair<WallTime, std::string>> found;
  STEAD_TRY(rows, connection_->prepare("SELECT expires_at, key FROM versions AS v WHERE expires_at IS NOT NULL AND NOT "
                                       "EXISTS (SELECT 1 FROM versions AS newer WHERE newer.key = v.key AND "
                                       "newer.revision > v.revision)"));
  for (;;) {
    STEAD_TRY(more, rows.step());
    if (!more) return found;
    found.emplace_back(WallTime(Duration(rows.integer(0))), rows.bytes(1));
  }
}

Result<void> Versions::set_compacted(int64_t revision) { return set_compacted_.bind(1, revision).run(); }

Result<void> Versions::sweep(const Compaction& compaction, int64_t until) {
  // From `swept` itself: a deletion at the edge of the last compaction was kept for watches.
  STEAD_TRY_VOID(sweep_superseded_.bind(1, compaction.swept).bind(2, until).run());
  STEAD_TRY_VOID(sweep_deletions_.bind(1, compaction.swept).bind(2, until).bind(3, compaction.compacted).run());
  return set_swept_.bind(1, until).run();
}

}  // namespace stead::store
