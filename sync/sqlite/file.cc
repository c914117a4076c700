#include "sync/sqlite/file.h"

#include <sqlite3.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sync/base/status.h"
#include "sync/crypto/own_key.h"

namespace zhibu::sqlite {
namespace {

constexpr int kBusyMsMax = 10'000;
constexpr int kAgainMs = 10;

int64_t Ask(SQLite::Database& db, const char* sql) { return db.execAndGet(sql).getInt64(); }

// All of it of one moment: another process may be making the file.
absl::Status CheckOurs(SQLite::Database& db, const std::string& file, const Format& format) {
  db.exec("BEGIN");
  const absl::Cleanup end = [&db] { db.tryExec("ROLLBACK"); };
  const int64_t application = Ask(db, "PRAGMA application_id");
  const int64_t version = Ask(db, "PRAGMA user_version");
  const bool empty = version == 0 && Ask(db, "SELECT count(*) FROM sqlite_schema") == 0;
  if (application != format.application_id && !(application == 0 && empty)) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, " is the database of another program. It has not been touched. Give another file"));
  }
  if (version > static_cast<int64_t>(format.migrations.size())) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, " was written by a newer version of Zhibu (schema ", version, "; this one knows ",
        format.migrations.size(), "). It has not been touched, and nothing is lost. Update"));
  }
  return absl::OkStatus();
}

// SQLite does not wait where several processes make the log of a new file at once.
bool KeepsLog(SQLite::Database& db) {
  for (int waited_ms = 0; waited_ms < kBusyMsMax; waited_ms += kAgainMs) {
    if (db.tryExec("PRAGMA journal_mode = WAL") != SQLITE_BUSY) break;
    sqlite3_sleep(kAgainMs);
  }
  return db.execAndGet("PRAGMA journal_mode = WAL").getString() == "wal";
}

// seal(place, value), for Format::seal_all.
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

class Sealing {
 public:
  Sealing(SQLite::Database& db, const std::string& file, const std::string& key,
          const std::function<std::string(size_t)>& random_bytes, Seal* seal)
      : db_(db), file_(file), own_(key, random_bytes), seal_(*seal) {}

  // Nothing is touched where the file is sealed with another key.
  absl::Status Unlock() {
    if (Ask(db_, "SELECT count(*) FROM sqlite_schema WHERE name = 'seal'") == 0) {
      return absl::OkStatus();
    }
    SQLite::Statement row(db_, "SELECT key FROM seal");
    if (!row.executeStep()) return absl::OkStatus();
    ASSIGN_OR_RETURN(seal_, own_.Unlock(row.getColumn(0).getString(), file_));
    return absl::OkStatus();
  }

  void SealAll(const char* seal_all, bool plain_remains) {
    if (!own_.has_outer() || seal_.has_key()) return;
    std::string sealed;
    seal_ = own_.Make(&sealed);
    db_.createFunction("seal", 2, false, &seal_, &SealInSql, nullptr, nullptr, nullptr);
    db_.exec(seal_all);
    SQLite::Statement row(db_, "INSERT INTO seal (key, plain_remains) VALUES (?, ?)");
    row.bind(1, sealed.data(), static_cast<int>(sealed.size()));
    row.bind(2, plain_remains ? 1 : 0);
    row.exec();
  }

 private:
  SQLite::Database& db_;
  const std::string& file_;
  const OwnKey own_;
  Seal& seal_;
};

// One transaction: a file is as it was, or of this schema and sealed.
absl::Status Migrate(SQLite::Database& db, const Format& format, Sealing sealing) {
  db.exec("BEGIN IMMEDIATE");
  absl::Cleanup rollback = [&db] { db.tryExec("ROLLBACK"); };
  RETURN_IF_ERROR(sealing.Unlock());
  // Asked again: another process may have been first.
  const int64_t version = Ask(db, "PRAGMA user_version");
  const auto current = static_cast<int64_t>(format.migrations.size());
  for (int64_t from = version; from < current; ++from) {
    db.exec(format.migrations[static_cast<size_t>(from)]);
  }
  if (version < current) {
    db.exec(absl::StrCat("PRAGMA user_version = ", current));
    db.exec(absl::StrCat("PRAGMA application_id = ", format.application_id));
  }
  sealing.SealAll(format.seal_all, version > 0);
  db.exec("COMMIT");
  std::move(rollback).Cancel();
  return absl::OkStatus();
}

// One transaction.
absl::Status Reseal(SQLite::Database& db, const std::string& file, const OwnKey& before,
                    const OwnKey& after) {
  db.exec("BEGIN IMMEDIATE");
  const absl::Cleanup end = [&db] { db.tryExec("ROLLBACK"); };  // of what was not committed
  const std::string sealed = db.execAndGet("SELECT key FROM seal").getString();
  ASSIGN_OR_RETURN(const std::string again, before.SealedFor(after, sealed, file));
  SQLite::Statement change(db, "UPDATE seal SET key = ?");
  change.bind(1, again.data(), static_cast<int>(again.size()));
  change.exec();
  db.exec("COMMIT");
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareFile(SQLite::Database& db, const std::string& file, const Format& format,
                         const std::string& key,
                         const std::function<std::string(size_t)>& random_bytes, Seal* seal) {
  RETURN_IF_ERROR(CheckOurs(db, file, format));
  // The log stays when the file is closed: without it a file on a full disk could
  // not even be read.
  int on = 1;
  sqlite3_file_control(db.getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &on);
  if (!KeepsLog(db)) {
    return absl::UnavailableError(absl::StrCat(
        file,
        " lies on a disk without shared memory, which write-ahead logging needs. Nothing was "
        "written. Put it on a local disk"));
  }
  // A commit that was acknowledged survives a power cut: in WAL it is one fsync.
  db.exec("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");
  db.exec(format.pragmas);
  RETURN_IF_ERROR(Migrate(db, format, Sealing(db, file, key, random_bytes, seal)));
  if (Ask(db, "SELECT EXISTS (SELECT 1 FROM seal WHERE plain_remains)") != 0) Sweep(db, format);
  return absl::OkStatus();
}

absl::Status Rekey(SQLite::Database& db, const std::string& file, const Format& format,
                   const std::string& key, const std::string& new_key,
                   const std::function<std::string(size_t)>& random_bytes) {
  if (key.empty()) return absl::FailedPreconditionError(absl::StrCat(file, " is not sealed"));
  RETURN_IF_ERROR(Reseal(db, file, OwnKey(key, random_bytes), OwnKey(new_key, random_bytes)));
  Sweep(db, format);  // what the former key opens lies in no gap, nor in the log
  return absl::OkStatus();
}

void Sweep(SQLite::Database& db, const Format& format) {
  if (!format.sweeps_in_memory) db.tryExec("PRAGMA temp_store = FILE");
  if (db.tryExec("VACUUM") == SQLITE_OK &&
      sqlite3_wal_checkpoint_v2(db.getHandle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                nullptr) == SQLITE_OK) {
    db.tryExec("UPDATE seal SET plain_remains = 0");
  }
  db.tryExec("PRAGMA temp_store = MEMORY");
}

}  // namespace zhibu::sqlite
