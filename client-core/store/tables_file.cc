#include <sqlite3.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client-core/store/tables.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"

namespace zhibu::client {
namespace {

constexpr int kBusyMsMax = 10'000;
constexpr int kAgainMs = 10;
constexpr int kApplicationId = 0x5a484255;  // "ZHBU"
constexpr char kKeyPlace[] = "seal.key";

// Numbered from 1; a file is taken through those it has not seen. Each is tested
// from every earlier version.
constexpr const char* kMigrations[] = {
    // 1: the first.
    R"sql(
    CREATE TABLE record (
      type INTEGER NOT NULL, id BLOB NOT NULL,
      confirmed BLOB,  -- stored.v1.Kept: what the server last said; NULL: nothing
      view BLOB,       -- stored.v1.Kept: with pending edits applied; NULL: as confirmed
      PRIMARY KEY (type, id)) WITHOUT ROWID;
    CREATE TABLE pending (
      number INTEGER PRIMARY KEY,
      stamp INTEGER NOT NULL, floor INTEGER NOT NULL, previous INTEGER NOT NULL,
      edit BLOB NOT NULL);  -- sync.v1.Edit
    CREATE TABLE touched (
      type INTEGER NOT NULL, id BLOB NOT NULL, number INTEGER NOT NULL,
      PRIMARY KEY (type, id, number)) WITHOUT ROWID;
    CREATE TABLE set_aside (
      place INTEGER PRIMARY KEY AUTOINCREMENT,
      at_ms INTEGER NOT NULL,
      answer BLOB NOT NULL,  -- sync.v1.Answer
      edit BLOB NOT NULL);   -- sync.v1.Edit
    CREATE TABLE cursor (
      scope BLOB PRIMARY KEY, version INTEGER NOT NULL, audience INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    )sql",
    // 2: for a server that is restored from a backup.
    R"sql(
    CREATE TABLE kept (
      place INTEGER PRIMARY KEY AUTOINCREMENT,
      number INTEGER NOT NULL,
      stamp INTEGER NOT NULL, floor INTEGER NOT NULL, previous INTEGER NOT NULL,
      edit BLOB NOT NULL,
      device INTEGER NOT NULL);
    CREATE TABLE stale (
      type INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY (type, id)) WITHOUT ROWID;
    ALTER TABLE set_aside ADD COLUMN device INTEGER NOT NULL DEFAULT 0;
    UPDATE set_aside SET device = (SELECT value FROM setting WHERE name = 'device');
    )sql",
    // 3: what an edit builds on, which stood inside the edit before.
    R"sql(
    ALTER TABLE pending ADD COLUMN salt INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE pending ADD COLUMN builds_on BLOB NOT NULL DEFAULT x'';  -- stored.v1.Foundations
    CREATE INDEX pending_salt ON pending (salt);
    ALTER TABLE kept ADD COLUMN salt INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE kept ADD COLUMN builds_on BLOB NOT NULL DEFAULT x'';
    CREATE INDEX kept_salt ON kept (salt);
    ALTER TABLE set_aside ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE set_aside ADD COLUMN salt INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX set_aside_salt ON set_aside (salt);
    )sql",
    // 4: blobs may be sealed from here on; SQL can no longer read them.
    R"sql(
    CREATE TABLE seal (
      key BLOB NOT NULL,                 -- of the file, sealed with the app's
      plain_remains INTEGER NOT NULL);   -- 1: what was plain may still lie in gaps, or in the log
    )sql",
    // 5: what its author has let go of does not come back.
    R"sql(
    ALTER TABLE pending ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE kept ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
    )sql",
    // 6: cursors are the server's word, which it knows again.
    R"sql(
    ALTER TABLE cursor ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE cursor ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
    )sql",
    // 7: what they say beside the version and the offices stands in the seal.
    R"sql(
    ALTER TABLE cursor DROP COLUMN held;
    )sql",
};
constexpr int kSchemaVersion = static_cast<int>(std::size(kMigrations));

// seal(place, blob): see SealInSql.
constexpr char kSealAll[] = R"sql(
    UPDATE record SET
      confirmed = seal('record.confirmed/' || type || '/' || lower(hex(id)), confirmed),
      view = seal('record.view/' || type || '/' || lower(hex(id)), view);
    UPDATE pending SET edit = seal('pending.edit/' || number, edit);
    UPDATE kept SET edit = seal('kept.edit/' || device || '/' || number, edit);
    UPDATE set_aside SET answer = seal('set_aside.answer/' || place, answer),
                         edit = seal('set_aside.edit/' || place, edit);
    UPDATE setting SET value = seal('setting.value/' || name, value);
    )sql";

// seal(place, blob), for kSealAll.
void SealInSql(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[1]) == SQLITE_NULL) return sqlite3_result_null(context);
  const auto bytes = [](sqlite3_value* value) {
    const auto* data = static_cast<const char*>(sqlite3_value_blob(value));
    return absl::string_view(data, static_cast<size_t>(sqlite3_value_bytes(value)));
  };
  const auto& seal = *static_cast<const Seal*>(sqlite3_user_data(context));
  const std::string sealed = seal.Close(bytes(values[0]), bytes(values[1]));
  sqlite3_result_blob(context, sealed.data(), static_cast<int>(sealed.size()), SQLITE_TRANSIENT);
}

}  // namespace

absl::Status StatusOf(const SQLite::Exception& error) {
  const std::string message = absl::StrCat("device store: ", error.what());
  switch (error.getErrorCode() & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(
          message, "; nothing was changed. Free some space on the device and try again."));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_MISMATCH:  // see Prepare
      return absl::FailedPreconditionError(message);
    case SQLITE_AUTH:  // see Unlock
      return Refuse(sync::v1::WRONG_KEY, error.what());
    default:
      return absl::UnavailableError(absl::StrCat(message, "; nothing was changed."));
  }
}

Tables::Tables(const Store::Options& options)
    : connection_(options.file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, options.vfs,
                  kBusyMsMax) {
  SQLite::Database& db = connection_.db();
  // The log stays when the file is closed: without it a file on a full disk could
  // not even be read.
  int on = 1;
  sqlite3_file_control(db.getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &on);
  // SQLite does not wait where several processes make the log of a new file at once.
  for (int waited_ms = 0; waited_ms < kBusyMsMax; waited_ms += kAgainMs) {
    if (db.tryExec("PRAGMA journal_mode=WAL") != SQLITE_BUSY) break;
    absl::SleepFor(absl::Milliseconds(kAgainMs));
  }
  // A WAL commit is one fsync at FULL: what was committed survives power loss.
  db.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA "
      "journal_size_limit=0; PRAGMA temp_store=MEMORY;");
  Prepare(options);
}

// One transaction: a file is as it was, or sealed and of this version.
void Tables::Prepare(const Store::Options& options) {
  SQLite::Database& db = connection_.db();
  const Seal app =
      options.key.empty() ? Seal() : Seal(options.key, options.environment.random_bytes);
  Begin();
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version > kSchemaVersion) {
    Rollback();
    throw SQLite::Exception(
        "the file was written by a newer version of the app; update the app, nothing is lost",
        SQLITE_MISMATCH);
  }
  bool plain_remains = db.tableExists("seal") && Unlock(options, app);
  for (int next = version; next < kSchemaVersion; ++next) db.exec(kMigrations[next]);
  if (version < kSchemaVersion) {
    db.exec(absl::StrCat("PRAGMA application_id=", kApplicationId,
                         "; PRAGMA user_version=", kSchemaVersion));
  }
  if (app.has_key() && !seal_.has_key()) {
    plain_remains = version > 0;
    SealAll(options, app, plain_remains);
  }
  CommitWork();
  if (plain_remains) Sweep();
}

// Throws, and has touched nothing, where the file is sealed with another key.
// True: what was plain may remain.
bool Tables::Unlock(const Store::Options& options, const Seal& app) {
  Statement row(connection_, "SELECT key, plain_remains FROM seal");
  if (!row.Step()) return false;
  const std::optional<std::string> key = app.Open(kKeyPlace, row.Bytes(0));
  if (!app.has_key() || !key) throw SQLite::Exception(options.file, SQLITE_AUTH);
  seal_ = Seal(*key, options.environment.random_bytes);
  return row.Int(1) != 0;
}

void Tables::SealAll(const Store::Options& options, const Seal& app, bool plain_remains) {
  const std::string key = options.environment.random_bytes(Seal::kKeySize);
  seal_ = Seal(key, options.environment.random_bytes);
  SQLite::Database& db = connection_.db();
  db.createFunction("seal", 2, false, &seal_, &SealInSql, nullptr, nullptr, nullptr);
  db.exec(kSealAll);
  const std::string sealed = app.Close(kKeyPlace, key);
  Statement(connection_, "INSERT INTO seal (key, plain_remains) VALUES (?,?)", sealed,
            plain_remains)
      .Run();
}

// Writes every page anew and empties the log. Where that cannot be done now, because
// the disk is full or another process reads, it is tried when the file is opened
// next.
void Tables::Sweep() {
  SQLite::Database& db = connection_.db();
  db.setBusyTimeout(0);
  const bool swept = db.tryExec("VACUUM") == SQLITE_OK &&
                     sqlite3_wal_checkpoint_v2(db.getHandle(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                               nullptr, nullptr) == SQLITE_OK;
  if (swept) db.tryExec("UPDATE seal SET plain_remains = 0");
  db.setBusyTimeout(kBusyMsMax);
}

void Tables::EraseAnswered() {
  connection_.db().exec(
      "DELETE FROM record; DELETE FROM set_aside; DELETE FROM kept; DELETE FROM stale; "
      "DELETE FROM cursor; UPDATE seal SET plain_remains = 1");
}

void Tables::EraseAll() {
  EraseAnswered();
  connection_.db().exec("DELETE FROM pending; DELETE FROM touched; DELETE FROM setting");
}

void Tables::Rollback() noexcept {
  if (connection_.InTransaction()) connection_.db().tryExec("ROLLBACK");
}

int64_t Tables::CommitsOfOthers() {
  Statement version(connection_, "PRAGMA data_version");
  version.Step();
  return version.Int(0);
}

}  // namespace zhibu::client
