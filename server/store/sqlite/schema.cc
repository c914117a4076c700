#include "server/store/sqlite/schema.h"

#include <sqlite3.h>

#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"

namespace zhibu::server::sqlite {
namespace {

// What lies in the file. Numbers that are unsigned in the program keep their
// bits as SQLite's signed 64; versions and edit numbers stay below 2^63, so that
// they also keep their order.
//
//   scope    number and current version of a scope; the number stands for its
//            16 bytes in the feed
//   record   a record as it is now, in the order in which records came, which is
//            nearly that of their ids: appending is several times faster than by a
//            random key; record_key finds it
//   feed     of each record that lies or lay in a scope, a row for all offices that see the
//            same of it (present) or saw it. By its key it lists a scope's records of one
//            type; feed_version covers "what has changed since v" in the order of delivery:
//            (version, type, id). type and id repeat the record's, so that neither needs a
//            sort. All else of a row is in that index as well: rows that others may not see
//            are passed over without a look at the record
//   audit    in order of arrival; found by (device, number), with what became of it,
//            and by (made_ms, link): made_ms first, so that what comes about now lies
//            together. As one table clustered by device it is three times slower
//            with many devices: every row would lie in a page of its own device
//   device   devices by number
//   counter  what has been given and must not be given again; how much there is of
//            something
//   setting  small values by name
//   code     enrolment codes; `digest` is BLAKE2b-256 of the code
//   mark     what is said of persons who may be the same one, and of whom
//   seal     the file's own key, sealed with the operator's; no row: not sealed
//
// What people wrote and what is secret is sealed, each value by itself under the name
// of its place (sync/crypto/seal.h), as kSealAll spells it: bodies, traces, edits, answers,
// settings, names of devices.
//
// touch_* and deletion_* are RecordState's touches; deletion_version is NULL
// while the record lives. Times are milliseconds since 1970; stamps as in
// sync/base/types.h. answer is a serialised sync.v1.Answer.
//
// Migrations: entry n takes a file from version n to n + 1. None is ever
// changed once released.
constexpr const char* kMigrations[] = {
    // 1: the first.
    R"sql(
CREATE TABLE scope (
  no INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
  no INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  id BLOB NOT NULL,
  touch_version INTEGER NOT NULL,
  touch_writer INTEGER NOT NULL,
  touch_stamp INTEGER NOT NULL,
  deletion_version INTEGER,
  deletion_writer INTEGER,
  deletion_stamp INTEGER,
  body BLOB NOT NULL,
  trace BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_key ON record (type, id);

CREATE TABLE feed (
  scope_no INTEGER NOT NULL,
  type INTEGER NOT NULL,
  id BLOB NOT NULL,
  record_no INTEGER NOT NULL,
  version INTEGER NOT NULL,
  present INTEGER NOT NULL,
  PRIMARY KEY (scope_no, type, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_version ON feed (scope_no, version, type, id, present, record_no);

CREATE TABLE audit (
  no INTEGER PRIMARY KEY,
  device INTEGER NOT NULL,
  number INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  stamp INTEGER NOT NULL,
  edit BLOB NOT NULL,
  answer BLOB NOT NULL,
  version INTEGER NOT NULL,
  chain BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX audit_key ON audit (device, number);

CREATE TABLE device (
  number INTEGER PRIMARY KEY,
  public_key BLOB NOT NULL,
  person BLOB NOT NULL,
  record BLOB NOT NULL,
  name TEXT NOT NULL,
  revoked INTEGER NOT NULL,
  enrolled_ms INTEGER NOT NULL,
  last_seen_ms INTEGER NOT NULL,
  last_number INTEGER NOT NULL
) STRICT;

CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE code (
  digest BLOB PRIMARY KEY,
  person BLOB NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql",
    // 2: how far a device's edits are in a backup.
    R"sql(
ALTER TABLE device ADD COLUMN safe_number INTEGER NOT NULL DEFAULT 0;
)sql",
    // 3: an edit is found by what it is, too.
    R"sql(
ALTER TABLE audit ADD COLUMN made_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN link INTEGER NOT NULL DEFAULT 0;
CREATE INDEX audit_edit ON audit (made_ms, link);
)sql",
    // 4: values may be sealed from here on, and SQL can no longer read them; a name
    // is sealed too, and so no longer text.
    R"sql(
CREATE TABLE seal (
  key BLOB NOT NULL,
  plain_remains INTEGER NOT NULL  -- 1: what was plain may still lie in gaps, or in the log
) STRICT;
ALTER TABLE device ADD COLUMN name_bytes BLOB NOT NULL DEFAULT x'';
UPDATE device SET name_bytes = CAST(name AS BLOB);
ALTER TABLE device DROP COLUMN name;
ALTER TABLE device RENAME COLUMN name_bytes TO name;
)sql",
    // 5: who may be the same person.
    R"sql(
CREATE TABLE mark (
  mark BLOB NOT NULL,
  person BLOB NOT NULL,
  PRIMARY KEY (mark, person)
) STRICT, WITHOUT ROWID;
)sql",
    // 6: what came beside an edit, and whose it is; what became of it, in an index that has
    // all of that, since a row may hold a megabyte before its last columns.
    R"sql(
ALTER TABLE audit ADD COLUMN beside BLOB NOT NULL DEFAULT x'';
ALTER TABLE audit ADD COLUMN verdict INTEGER NOT NULL DEFAULT 0;
DROP INDEX audit_key;
CREATE INDEX audit_verdict ON audit (device, number, link, verdict);
)sql",
    // 7: which offices have been able to see a record where it lies, and since which version
    // it has lain there. Unknown of what is there: all of them, until the server has worked
    // it out (server/feed/sight.h), and always.
    R"sql(
ALTER TABLE feed ADD COLUMN seen INTEGER NOT NULL DEFAULT 2147483647;
ALTER TABLE feed ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
DROP INDEX feed_version;
CREATE INDEX feed_version ON feed (scope_no, version, type, id, present, record_no, seen, since);
)sql",
    // 8: what a device has made since some edit is told by the index alone.
    R"sql(
DROP INDEX audit_verdict;
CREATE INDEX audit_verdict ON audit (device, number, link, verdict, version);
)sql",
    // 9: a record stands in a feed once for all offices that see the same of it.
    R"sql(
CREATE TABLE feed_of_offices (
  scope_no INTEGER NOT NULL,
  type INTEGER NOT NULL,
  id BLOB NOT NULL,
  offices INTEGER NOT NULL,
  record_no INTEGER NOT NULL,
  version INTEGER NOT NULL,
  present INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (scope_no, type, id, offices)
) STRICT, WITHOUT ROWID;
INSERT INTO feed_of_offices
  SELECT scope_no, type, id, seen | 0x40000000, record_no, version, present, since FROM feed;
DROP TABLE feed;
ALTER TABLE feed_of_offices RENAME TO feed;
CREATE INDEX feed_version ON feed (scope_no, version, type, id, offices, present, record_no, since);
-- Who may see what now is to be worked out: see server/feed/incarnation.h.
DELETE FROM setting WHERE name = 'cursor_key';
)sql",
};
constexpr int64_t kSchemaVersion = std::size(kMigrations);
constexpr int64_t kApplicationId = 0x5a686962;  // "Zhib"

// What names the place of the file's own key: see sync/crypto/seal.h.
constexpr char kKeyPlace[] = "seal.key";

// seal(place, blob): see SealInSql.
constexpr char kSealAll[] = R"sql(
UPDATE record SET
  body = seal('record.body/' || type || '/' || lower(hex(id)), body),
  trace = seal('record.trace/' || type || '/' || lower(hex(id)), trace);
UPDATE audit SET
  edit = seal('audit.edit/' || device || '/' || number, edit),
  answer = seal('audit.answer/' || device || '/' || number, answer);
UPDATE setting SET value = seal('setting.value/' || name, value);
UPDATE device SET name = seal('device.name/' || number, name);
)sql";

int64_t Ask(SQLite::Database& db, const char* sql) { return db.execAndGet(sql).getInt64(); }

absl::Status CheckOurs(SQLite::Database& db, const std::string& file) {
  int64_t application = Ask(db, "PRAGMA application_id");
  int64_t version = Ask(db, "PRAGMA user_version");
  bool empty = version == 0 && Ask(db, "SELECT count(*) FROM sqlite_schema") == 0;
  if (application != kApplicationId && !(application == 0 && empty)) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, " is the database of another program. It has not been touched. Give another file"));
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(file, " was written by a newer Zhibu (schema ", version, "; this one knows ",
                     kSchemaVersion, "). It has not been touched. Update this program"));
  }
  return absl::OkStatus();
}

// seal(place, blob), for kSealAll.
void SealInSql(sqlite3_context* context, int, sqlite3_value** values) {
  const auto bytes = [](sqlite3_value* value) {
    const auto* data = static_cast<const char*>(sqlite3_value_blob(value));
    return absl::string_view(data, static_cast<size_t>(sqlite3_value_bytes(value)));
  };
  const auto& seal = *static_cast<const Seal*>(sqlite3_user_data(context));
  const std::string sealed = seal.Close(bytes(values[0]), bytes(values[1]));
  sqlite3_result_blob(context, sealed.data(), static_cast<int>(sealed.size()), SQLITE_TRANSIENT);
}

void SealAll(SQLite::Database& db, const SqliteOptions& options, bool plain_remains, Seal* seal) {
  const std::string key = options.random_bytes(Seal::kKeySize);
  *seal = Seal(key, options.random_bytes);
  db.createFunction("seal", 2, false, seal, &SealInSql, nullptr, nullptr, nullptr);
  db.exec(kSealAll);
  SQLite::Statement row(db, "INSERT INTO seal (key, plain_remains) VALUES (?, ?)");
  const std::string sealed = Seal(options.key, options.random_bytes).Close(kKeyPlace, key);
  row.bind(1, sealed.data(), static_cast<int>(sealed.size()));
  row.bind(2, plain_remains ? 1 : 0);
  row.exec();
}

// Nothing is touched where the file is sealed with another key.
absl::Status Unlock(SQLite::Database& db, const std::string& file, const SqliteOptions& options,
                    Seal* seal) {
  if (Ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'seal'") == 0) {
    return absl::OkStatus();
  }
  SQLite::Statement row(db, "SELECT key FROM seal");
  if (!row.executeStep()) return absl::OkStatus();
  if (options.key.empty()) return Refuse(sync::v1::WRONG_KEY, file);
  const std::string sealed = row.getColumn(0).getString();
  const auto key = Seal(options.key, options.random_bytes).Open(kKeyPlace, sealed);
  if (!key.has_value()) return Refuse(sync::v1::WRONG_KEY, file);
  *seal = Seal(*key, options.random_bytes);
  return absl::OkStatus();
}

// Writes every page anew and empties the log. Where that cannot be done now, because
// the disk is full or another process reads, it is tried at the next start.
void Sweep(SQLite::Database& db) {
  // The copy that VACUUM makes may not fit into memory.
  db.tryExec("PRAGMA temp_store = FILE");
  if (db.tryExec("VACUUM") == SQLITE_OK &&
      sqlite3_wal_checkpoint_v2(db.getHandle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                nullptr) == SQLITE_OK) {
    db.tryExec("UPDATE seal SET plain_remains = 0");
  }
  db.tryExec("PRAGMA temp_store = MEMORY");
}

// One transaction: a file is as it was, or of this schema and sealed.
absl::Status Migrate(SQLite::Database& db, const std::string& file, const SqliteOptions& options,
                     Seal* seal) {
  db.exec("BEGIN IMMEDIATE");
  absl::Cleanup rollback = [&db] { db.tryExec("ROLLBACK"); };
  RETURN_IF_ERROR(Unlock(db, file, options, seal));
  // Asked again: another process may have been first.
  const int64_t version = Ask(db, "PRAGMA user_version");
  for (int64_t from = version; from < kSchemaVersion; ++from) {
    db.exec(kMigrations[from]);
    db.exec(absl::StrCat("PRAGMA user_version = ", from + 1));
  }
  db.exec(absl::StrCat("PRAGMA application_id = ", kApplicationId));
  if (!options.key.empty() && !seal->has_key()) SealAll(db, options, version > 0, seal);
  db.exec("COMMIT");
  std::move(rollback).Cancel();
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareFile(SQLite::Database& db, const std::string& file,
                         const SqliteOptions& options, Seal* seal) {
  RETURN_IF_ERROR(CheckOurs(db, file));
  // The log stays when the file is closed: without it a file on a full disk could
  // not even be read.
  int on = 1;
  sqlite3_file_control(db.getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &on);
  if (db.execAndGet("PRAGMA journal_mode = WAL").getString() != "wal") {
    return absl::UnavailableError(absl::StrCat(
        file,
        " lies on a disk without shared memory, which write-ahead logging needs. Nothing was "
        "written. Put it on a local disk"));
  }
  // A commit that was acknowledged survives a power cut. Pages are moved into
  // the database every 16 MB of log, and a log that a long read has let grow is
  // cut back.
  db.exec(
      "PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;"
      "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864");
  RETURN_IF_ERROR(Migrate(db, file, options, seal));
  if (Ask(db, "SELECT EXISTS (SELECT 1 FROM seal WHERE plain_remains)") != 0) Sweep(db);
  return absl::OkStatus();
}

}  // namespace zhibu::server::sqlite
