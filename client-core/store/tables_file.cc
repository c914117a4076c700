#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "client-core/store/tables.h"
#include "sync/base/status.h"
#include "sync/sqlite/file.h"

namespace zhibu::client {
namespace {

constexpr int kBusyMsMax = 10'000;

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
    // 8: forms that somebody has begun live through the app's end.
    R"sql(
    CREATE TABLE sketch (
      place INTEGER PRIMARY KEY AUTOINCREMENT,
      sketch BLOB NOT NULL);  -- api.v1.Sketch, as the app keeps it
    )sql",
};
// See sqlite::Format::seal_all.
constexpr char kSealAll[] = R"sql(
    UPDATE record SET
      confirmed = seal('record.confirmed/' || type || '/' || lower(hex(id)), confirmed),
      view = seal('record.view/' || type || '/' || lower(hex(id)), view);
    UPDATE pending SET edit = seal('pending.edit/' || number, edit);
    UPDATE kept SET edit = seal('kept.edit/' || device || '/' || number, edit);
    UPDATE set_aside SET answer = seal('set_aside.answer/' || place, answer),
                         edit = seal('set_aside.edit/' || place, edit);
    UPDATE sketch SET sketch = seal('sketch.sketch/' || place, sketch);
    UPDATE setting SET value = seal('setting.value/' || name, value);
    )sql";

const sqlite::Format kFormat{.application_id = 0x5a484255,  // "ZHBU"
                             .migrations = kMigrations,
                             .seal_all = kSealAll,
                             .pragmas = "PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 0",
                             .sweeps_in_memory = true};

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
    default:
      return absl::UnavailableError(absl::StrCat(message, "; nothing was changed."));
  }
}

Tables::Tables(const Store::Options& options)
    : connection_(options.file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, options.vfs,
                  kBusyMsMax) {}

absl::StatusOr<std::unique_ptr<Tables>> Tables::Open(const Store::Options& options) {
  std::unique_ptr<Tables> tables(new Tables(options));
  RETURN_IF_ERROR(sqlite::PrepareFile(tables->connection_.db(), options.file, kFormat, options.key,
                                      options.environment.random_bytes, &tables->seal_));
  return tables;
}

absl::Status Tables::Rekey(const Store::Options& options, const std::string& new_key) {
  return sqlite::Rekey(connection_.db(), options.file, kFormat, options.key, new_key,
                       options.environment.random_bytes);
}

void Tables::Sweep() { sqlite::Sweep(connection_.db(), kFormat); }

void Tables::EraseAnswered() {
  connection_.db().exec(
      "DELETE FROM record; DELETE FROM set_aside; DELETE FROM kept; DELETE FROM stale; "
      "DELETE FROM cursor; DELETE FROM sketch; UPDATE seal SET plain_remains = 1");
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
