#include "client-core/store/tables.h"

#include <sqlite3.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/wire/wire.h"
#include "zhibu/stored/v1/client.pb.h"

namespace zhibu::client {
namespace {

constexpr int kBusyMsMax = 10'000;
constexpr int kAgainMs = 10;
constexpr int kApplicationId = 0x5a484255;  // "ZHBU"

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

// What names the place of a blob: see sync/crypto/seal.h.
std::string PlaceOf(const char* column, const RecordKey& key) {
  return absl::StrCat(column, "/", key.type, "/", Hex(key.id.bytes()));
}
template <typename... Key>
std::string PlaceOf(const char* column, const Key&... key) {
  std::string place = column;
  (absl::StrAppend(&place, "/", key), ...);
  return place;
}
constexpr char kConfirmed[] = "record.confirmed";
constexpr char kView[] = "record.view";
constexpr char kPending[] = "pending.edit";
constexpr char kKept[] = "kept.edit";
constexpr char kAnswer[] = "set_aside.answer";
constexpr char kSetAside[] = "set_aside.edit";
constexpr char kSetting[] = "setting.value";
constexpr char kKeyPlace[] = "seal.key";

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

int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t Unsigned(const SQLite::Column& column) { return static_cast<uint64_t>(column.getInt64()); }

absl::string_view Blob(const SQLite::Column& column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes())};
}

void Bind(SQLite::Statement& statement, int index, absl::string_view blob) {
  // A null pointer would bind NULL.
  statement.bindNoCopy(index, blob.empty() ? static_cast<const void*>("") : blob.data(),
                       static_cast<int>(blob.size()));
}

std::string Pack(const RecordState& state) {
  stored::v1::Kept kept;
  kept.set_version(state.touch.version.value);
  kept.set_writer(state.touch.writer.value);
  kept.set_stamp(state.touch.stamp.value);
  if (state.deletion) {
    kept.set_deleted(true);
    kept.set_deleted_version(state.deletion->version.value);
    kept.set_deleted_by(state.deletion->writer.value);
    kept.set_deleted_stamp(state.deletion->stamp.value);
  }
  std::string packed;
  packed.reserve(64 + state.body.size() + state.trace.size());
  kept.AppendToString(&packed);
  // The long ones are copied once, not into a message first.
  if (!state.body.empty()) {
    wire::AppendBytesField(stored::v1::Kept::kBodyFieldNumber, state.body, &packed);
  }
  if (!state.trace.empty()) {
    wire::AppendBytesField(stored::v1::Kept::kTraceFieldNumber, state.trace, &packed);
  }
  return packed;
}

[[noreturn]] void ThrowDamage(absl::string_view place) {
  throw SQLite::Exception(
      absl::StrCat(place, " is damaged and cannot be read; the rest of the file can"),
      SQLITE_CORRUPT);
}

std::string Opened(const Seal& seal, const std::string& place, const SQLite::Column& column) {
  std::optional<std::string> plain = seal.Open(place, Blob(column));
  if (!plain) ThrowDamage(place);
  return *std::move(plain);
}

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

RecordState Unpack(const Seal& seal, const std::string& place, const SQLite::Column& column) {
  stored::v1::Kept kept;
  if (!kept.ParseFromString(Opened(seal, place, column))) ThrowDamage(place);
  RecordState state;
  state.exists = true;
  state.touch = {Version(kept.version()), DeviceNumber(kept.writer()), Stamp(kept.stamp())};
  state.body = std::move(*kept.mutable_body());
  state.trace = std::move(*kept.mutable_trace());
  if (kept.deleted()) {
    state.deletion = Touch{Version(kept.deleted_version()), DeviceNumber(kept.deleted_by()),
                           Stamp(kept.deleted_stamp())};
  }
  return state;
}

Tables::Record ReadRecord(const Seal& seal, const RecordKey& key, const SQLite::Column& confirmed,
                          const SQLite::Column& view) {
  Tables::Record record;
  if (!confirmed.isNull()) record.confirmed = Unpack(seal, PlaceOf(kConfirmed, key), confirmed);
  if (!view.isNull()) record.view = Unpack(seal, PlaceOf(kView, key), view);
  return record;
}

Id ReadId(const SQLite::Column& column) {
  const auto id = Id::FromBytes(Blob(column));
  if (!id) throw SQLite::Exception("an id cannot be read", SQLITE_CORRUPT);
  return *id;
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
    : database_(options.file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMsMax,
                options.vfs) {
  // The log stays when the file is closed: without it a file on a full disk could
  // not even be read.
  int on = 1;
  sqlite3_file_control(database_.getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &on);
  // SQLite does not wait where several processes make the log of a new file at once.
  for (int waited_ms = 0; waited_ms < kBusyMsMax; waited_ms += kAgainMs) {
    if (database_.tryExec("PRAGMA journal_mode=WAL") != SQLITE_BUSY) break;
    absl::SleepFor(absl::Milliseconds(kAgainMs));
  }
  // A WAL commit is one fsync at FULL: what was committed survives power loss.
  database_.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA "
      "journal_size_limit=0; PRAGMA temp_store=MEMORY;");
  Prepare(options);
}

// One transaction: a file is as it was, or sealed and of this version.
void Tables::Prepare(const Store::Options& options) {
  const Seal app =
      options.key.empty() ? Seal() : Seal(options.key, options.environment.random_bytes);
  Begin();
  const int version = database_.execAndGet("PRAGMA user_version").getInt();
  if (version > kSchemaVersion) {
    Rollback();
    throw SQLite::Exception(
        "the file was written by a newer version of the app; update the app, nothing is lost",
        SQLITE_MISMATCH);
  }
  bool plain_remains = database_.tableExists("seal") && Unlock(options, app);
  for (int next = version; next < kSchemaVersion; ++next) database_.exec(kMigrations[next]);
  if (version < kSchemaVersion) {
    database_.exec(absl::StrCat("PRAGMA application_id=", kApplicationId,
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
  SQLite::Statement& row = Prepared("SELECT key, plain_remains FROM seal");
  if (!row.executeStep()) return false;
  const std::optional<std::string> key = app.Open(kKeyPlace, Blob(row.getColumn(0)));
  if (!app.has_key() || !key) throw SQLite::Exception(options.file, SQLITE_AUTH);
  seal_ = Seal(*key, options.environment.random_bytes);
  const bool plain_remains = row.getColumn(1).getInt() != 0;
  row.reset();
  return plain_remains;
}

void Tables::SealAll(const Store::Options& options, const Seal& app, bool plain_remains) {
  const std::string key = options.environment.random_bytes(Seal::kKeySize);
  seal_ = Seal(key, options.environment.random_bytes);
  database_.createFunction("seal", 2, false, &seal_, &SealInSql, nullptr, nullptr, nullptr);
  database_.exec(kSealAll);
  SQLite::Statement& row = Prepared("INSERT INTO seal (key, plain_remains) VALUES (?,?)");
  const std::string sealed = app.Close(kKeyPlace, key);
  Bind(row, 1, sealed);
  row.bind(2, plain_remains ? 1 : 0);
  row.exec();
}

// Writes every page anew and empties the log. Where that cannot be done now, because
// the disk is full or another process reads, it is tried when the file is opened
// next.
void Tables::Sweep() {
  for (auto& [sql, statement] : statements_) statement->tryReset();  // else VACUUM is refused
  database_.setBusyTimeout(0);
  const bool swept =
      database_.tryExec("VACUUM") == SQLITE_OK &&
      sqlite3_wal_checkpoint_v2(database_.getHandle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                                nullptr) == SQLITE_OK;
  if (swept) database_.tryExec("UPDATE seal SET plain_remains = 0");
  database_.setBusyTimeout(kBusyMsMax);
}

void Tables::EraseAnswered() {
  database_.exec(
      "DELETE FROM record; DELETE FROM set_aside; DELETE FROM kept; DELETE FROM stale; "
      "DELETE FROM cursor; UPDATE seal SET plain_remains = 1");
}

void Tables::EraseAll() {
  EraseAnswered();
  database_.exec("DELETE FROM pending; DELETE FROM touched; DELETE FROM setting");
}

SQLite::Statement& Tables::Prepared(const char* sql) {
  auto& statement = statements_[sql];
  if (statement == nullptr) {
    statement = std::make_unique<SQLite::Statement>(database_, sql);
  } else {
    statement->reset();
  }
  return *statement;
}

void Tables::Run(const char* sql) { Prepared(sql).exec(); }

void Tables::Rollback() noexcept {
  // A cached statement that failed must let go of the transaction first.
  for (auto& [sql, statement] : statements_) statement->tryReset();
  if (sqlite3_get_autocommit(database_.getHandle()) == 0) database_.tryExec("ROLLBACK");
}

uint64_t Tables::Count(const char* sql) {
  SQLite::Statement& statement = Prepared(sql);
  statement.executeStep();
  const uint64_t count = Unsigned(statement.getColumn(0));
  statement.reset();
  return count;
}

int64_t Tables::CommitsOfOthers() {
  SQLite::Statement& statement = Prepared("PRAGMA data_version");
  statement.executeStep();
  const int64_t version = statement.getColumn(0).getInt64();
  statement.reset();
  return version;
}

Tables::Record Tables::GetRecord(const RecordKey& key) {
  SQLite::Statement& statement =
      Prepared("SELECT confirmed, view FROM record WHERE type=? AND id=?");
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  Record record;
  if (statement.executeStep()) {
    record = ReadRecord(seal_, key, statement.getColumn(0), statement.getColumn(1));
  }
  statement.reset();
  return record;
}

void Tables::PutRecord(const RecordKey& key, const Record& record) {
  if (!record.view) {
    return record.confirmed.exists ? PutConfirmed(key, record.confirmed) : DeleteRecord(key);
  }
  SQLite::Statement& statement =
      Prepared("INSERT OR REPLACE INTO record (type, id, confirmed, view) VALUES (?,?,?,?)");
  const std::string view = seal_.Close(PlaceOf(kView, key), Pack(*record.view));
  const std::string confirmed =
      record.confirmed.exists ? seal_.Close(PlaceOf(kConfirmed, key), Pack(record.confirmed)) : "";
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  if (confirmed.empty()) {
    statement.bind(3);
  } else {
    Bind(statement, 3, confirmed);
  }
  Bind(statement, 4, view);
  statement.exec();
}

void Tables::PutConfirmed(const RecordKey& key, const RecordState& confirmed) {
  SQLite::Statement& statement =
      Prepared("INSERT OR REPLACE INTO record (type, id, confirmed, view) VALUES (?,?,?,NULL)");
  const std::string packed = seal_.Close(PlaceOf(kConfirmed, key), Pack(confirmed));
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  Bind(statement, 3, packed);
  statement.exec();
}

void Tables::DeleteRecord(const RecordKey& key) {
  SQLite::Statement& statement = Prepared("DELETE FROM record WHERE type=? AND id=?");
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  statement.exec();
}

std::vector<uint32_t> Tables::Types() {
  SQLite::Statement& statement = Prepared("SELECT DISTINCT type FROM record");
  std::vector<uint32_t> types;
  while (statement.executeStep()) types.push_back(statement.getColumn(0).getUInt());
  statement.reset();
  return types;
}

void Tables::ListRecords(uint32_t type,
                         absl::FunctionRef<bool(const Id&, const absl::StatusOr<Record>&)> visit) {
  const auto read = [&](const Id& id, const SQLite::Column& confirmed,
                        const SQLite::Column& view) -> absl::StatusOr<Record> {
    try {
      return ReadRecord(seal_, {type, id}, confirmed, view);
    } catch (const SQLite::Exception& error) {
      return StatusOf(error);
    }
  };
  SQLite::Statement& statement =
      Prepared("SELECT id, confirmed, view FROM record WHERE type=? ORDER BY id");
  statement.bind(1, type);
  while (statement.executeStep()) {
    const Id id = ReadId(statement.getColumn(0));
    if (!visit(id, read(id, statement.getColumn(1), statement.getColumn(2)))) break;
  }
  statement.reset();
}

static void Bind(SQLite::Statement& statement, const Tables::PendingEdit& edit,
                 const std::string& sealed) {
  stored::v1::Foundations foundations;
  for (const uint64_t salt : edit.builds_on) foundations.add_salts(salt);
  statement.bind(1, Signed(edit.number.value));
  statement.bind(2, Signed(edit.stamp.value));
  statement.bind(3, Signed(edit.floor.value));
  statement.bind(4, Signed(edit.previous));
  Bind(statement, 5, sealed);
  const std::string packed = foundations.SerializeAsString();
  statement.bind(6, Signed(edit.salt));
  statement.bind(7, packed.data(), static_cast<int>(packed.size()));
  statement.bind(8, edit.withdrawn ? 1 : 0);
}

void Tables::AddPending(const PendingEdit& edit) {
  SQLite::Statement& statement = Prepared(
      "INSERT OR REPLACE INTO pending"
      " (number, stamp, floor, previous, edit, salt, builds_on, withdrawn)"
      " VALUES (?,?,?,?,?,?,?,?)");
  const std::string sealed = seal_.Close(PlaceOf(kPending, edit.number.value), edit.edit);
  Bind(statement, edit, sealed);
  statement.exec();
}

void Tables::DeletePending(EditNumber number) {
  SQLite::Statement& statement = Prepared("DELETE FROM pending WHERE number=?");
  statement.bind(1, Signed(number.value));
  statement.exec();
}

static Tables::PendingEdit ReadPending(const Seal& seal, const std::string& place,
                                       SQLite::Statement& statement) {
  stored::v1::Foundations foundations;
  const absl::string_view packed = Blob(statement.getColumn(6));
  if (!foundations.ParseFromArray(packed.data(), static_cast<int>(packed.size()))) {
    throw SQLite::Exception("an edit cannot be read", SQLITE_CORRUPT);
  }
  Tables::PendingEdit edit;
  edit.number = EditNumber(Unsigned(statement.getColumn(0)));
  edit.stamp = Stamp(Unsigned(statement.getColumn(1)));
  edit.floor = Stamp(Unsigned(statement.getColumn(2)));
  edit.previous = Unsigned(statement.getColumn(3));
  edit.edit = Opened(seal, place, statement.getColumn(4));
  edit.salt = Unsigned(statement.getColumn(5));
  edit.builds_on.assign(foundations.salts().begin(), foundations.salts().end());
  edit.withdrawn = statement.getColumn(7).getInt() != 0;
  return edit;
}
static Tables::PendingEdit ReadPending(const Seal& seal, SQLite::Statement& statement) {
  return ReadPending(seal, PlaceOf(kPending, statement.getColumn(0).getInt64()), statement);
}

void Tables::ListPending(EditNumber after, absl::FunctionRef<bool(const PendingEdit&)> visit) {
  SQLite::Statement& statement = Prepared(
      "SELECT number, stamp, floor, previous, edit, salt, builds_on, withdrawn FROM pending"
      " WHERE number>? ORDER BY number");
  statement.bind(1, Signed(after.value));
  while (statement.executeStep()) {
    if (!visit(ReadPending(seal_, statement))) break;
  }
  statement.reset();
}

std::optional<Tables::PendingEdit> Tables::GetPending(EditNumber number) {
  std::optional<PendingEdit> found;
  ListPending(EditNumber(number.value - 1), [&](const PendingEdit& edit) {
    if (edit.number == number) found = edit;
    return false;
  });
  return found;
}

std::optional<Tables::PendingEdit> Tables::LastPending() {
  SQLite::Statement& statement = Prepared(
      "SELECT number, stamp, floor, previous, edit, salt, builds_on, withdrawn FROM pending"
      " ORDER BY number DESC LIMIT 1");
  std::optional<PendingEdit> last;
  if (statement.executeStep()) last = ReadPending(seal_, statement);
  statement.reset();
  return last;
}

std::optional<EditNumber> Tables::NumberOf(DeviceNumber device, uint64_t salt) {
  SQLite::Statement& statement = Prepared(
      "SELECT number FROM pending WHERE salt=?1"
      " UNION ALL SELECT number FROM kept WHERE salt=?1 AND device=?2"
      " UNION ALL SELECT number FROM set_aside WHERE salt=?1 AND device=?2 LIMIT 1");
  statement.bind(1, Signed(salt));
  statement.bind(2, device.value);
  std::optional<EditNumber> number;
  if (statement.executeStep()) number = EditNumber(Unsigned(statement.getColumn(0)));
  statement.reset();
  return number;
}

uint64_t Tables::CountPending() { return Count("SELECT count(*) FROM pending"); }

void Tables::Keep(DeviceNumber device, const PendingEdit& edit) {
  SQLite::Statement& statement = Prepared(
      "INSERT INTO kept"
      " (number, stamp, floor, previous, edit, salt, builds_on, withdrawn, device)"
      " VALUES (?,?,?,?,?,?,?,?,?)");
  const std::string sealed =
      seal_.Close(PlaceOf(kKept, device.value, edit.number.value), edit.edit);
  Bind(statement, edit, sealed);
  statement.bind(9, device.value);
  statement.exec();
}

std::vector<std::pair<DeviceNumber, Tables::PendingEdit>> Tables::ListKept() {
  SQLite::Statement& statement = Prepared(
      "SELECT number, stamp, floor, previous, edit, salt, builds_on, withdrawn, device FROM kept"
      " JOIN (SELECT device AS d,"
      " min(place) AS first FROM kept GROUP BY device) ON d=device ORDER BY first, number");
  std::vector<std::pair<DeviceNumber, PendingEdit>> kept;
  while (statement.executeStep()) {
    const DeviceNumber device(statement.getColumn(8).getUInt());
    const std::string place = PlaceOf(kKept, device.value, statement.getColumn(0).getInt64());
    kept.emplace_back(device, ReadPending(seal_, place, statement));
  }
  statement.reset();
  return kept;
}

void Tables::Withdraw(uint64_t salt) {
  SQLite::Statement& statement = Prepared("UPDATE kept SET withdrawn=1 WHERE salt=?");
  statement.bind(1, Signed(salt));
  statement.exec();
}

void Tables::DropKept(DeviceNumber device, EditNumber up_to) {
  SQLite::Statement& statement = Prepared("DELETE FROM kept WHERE device<>? OR number<=?");
  statement.bind(1, device.value);
  statement.bind(2, Signed(up_to.value));
  statement.exec();
}

void Tables::MakeStale() {
  Run("INSERT OR IGNORE INTO stale SELECT type, id FROM record WHERE confirmed IS NOT NULL");
  Run("DELETE FROM cursor");
}

bool Tables::AnyStale() { return Count("SELECT EXISTS (SELECT 1 FROM stale)") != 0; }

bool Tables::IsStale(const RecordKey& key) {
  SQLite::Statement& statement = Prepared("SELECT 1 FROM stale WHERE type=? AND id=?");
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  const bool stale = statement.executeStep();
  statement.reset();
  return stale;
}

void Tables::Refreshed(const RecordKey& key) {
  SQLite::Statement& statement = Prepared("DELETE FROM stale WHERE type=? AND id=?");
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  statement.exec();
}

std::vector<RecordKey> Tables::ListStale() {
  SQLite::Statement& statement = Prepared("SELECT type, id FROM stale");
  std::vector<RecordKey> stale;
  while (statement.executeStep()) {
    stale.push_back({statement.getColumn(0).getUInt(), ReadId(statement.getColumn(1))});
  }
  statement.reset();
  return stale;
}

void Tables::AddTouched(const RecordKey& key, EditNumber number) {
  SQLite::Statement& statement =
      Prepared("INSERT OR IGNORE INTO touched (type, id, number) VALUES (?,?,?)");
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  statement.bind(3, Signed(number.value));
  statement.exec();
}

void Tables::DeleteTouched(const RecordKey& key, EditNumber number) {
  SQLite::Statement& statement = Prepared("DELETE FROM touched WHERE type=? AND id=? AND number=?");
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  statement.bind(3, Signed(number.value));
  statement.exec();
}

std::vector<EditNumber> Tables::TouchedBy(const RecordKey& key) {
  SQLite::Statement& statement =
      Prepared("SELECT number FROM touched WHERE type=? AND id=? ORDER BY number");
  statement.bind(1, key.type);
  Bind(statement, 2, key.id.bytes());
  std::vector<EditNumber> numbers;
  while (statement.executeStep()) numbers.push_back(EditNumber(Unsigned(statement.getColumn(0))));
  statement.reset();
  return numbers;
}

std::set<Id> Tables::Touched(uint32_t type) {
  SQLite::Statement& statement = Prepared("SELECT DISTINCT id FROM touched WHERE type=?");
  statement.bind(1, type);
  std::set<Id> ids;
  while (statement.executeStep()) ids.insert(ReadId(statement.getColumn(0)));
  statement.reset();
  return ids;
}

void Tables::AddSetAside(const SetAside& set_aside) {
  // The place, which the blobs are sealed under, is known once the row is there.
  SQLite::Statement& insert = Prepared(
      "INSERT INTO set_aside (at_ms, answer, edit, device, number, salt) VALUES (?,x'',x'',?,?,?)"
      " RETURNING place");
  insert.bind(1, set_aside.at_ms);
  insert.bind(2, set_aside.device.value);
  insert.bind(3, Signed(set_aside.answer.number()));
  insert.bind(4, Signed(set_aside.edit.salt()));
  insert.executeStep();
  const int64_t place = insert.getColumn(0).getInt64();
  insert.reset();
  SQLite::Statement& fill = Prepared("UPDATE set_aside SET answer=?, edit=? WHERE place=?");
  const std::string answer =
      seal_.Close(PlaceOf(kAnswer, place), set_aside.answer.SerializeAsString());
  const std::string edit =
      seal_.Close(PlaceOf(kSetAside, place), set_aside.edit.SerializeAsString());
  Bind(fill, 1, answer);
  Bind(fill, 2, edit);
  fill.bind(3, place);
  fill.exec();
}

void Tables::ListSetAside(absl::FunctionRef<void(const SetAside&)> visit) {
  SQLite::Statement& statement =
      Prepared("SELECT place, at_ms, answer, edit, device FROM set_aside ORDER BY place");
  while (statement.executeStep()) {
    SetAside set_aside;
    set_aside.place = statement.getColumn(0).getInt64();
    set_aside.at_ms = statement.getColumn(1).getInt64();
    set_aside.answer.ParseFromString(
        Opened(seal_, PlaceOf(kAnswer, set_aside.place), statement.getColumn(2)));
    set_aside.edit.ParseFromString(
        Opened(seal_, PlaceOf(kSetAside, set_aside.place), statement.getColumn(3)));
    set_aside.device = DeviceNumber(statement.getColumn(4).getUInt());
    visit(set_aside);
  }
  statement.reset();
}

bool Tables::DeleteSetAside(int64_t place) {
  SQLite::Statement& statement = Prepared("DELETE FROM set_aside WHERE place=?");
  statement.bind(1, place);
  return statement.exec() > 0;
}

std::vector<sync::v1::Cursor> Tables::Cursors() {
  SQLite::Statement& statement = Prepared("SELECT scope, version, audience, seal FROM cursor");
  std::vector<sync::v1::Cursor> cursors;
  while (statement.executeStep()) {
    auto& cursor = cursors.emplace_back();
    cursor.set_scope(std::string(Blob(statement.getColumn(0))));
    cursor.set_version(Unsigned(statement.getColumn(1)));
    cursor.set_audience(statement.getColumn(2).getUInt());
    cursor.set_seal(std::string(Blob(statement.getColumn(3))));
  }
  statement.reset();
  return cursors;
}

void Tables::PutCursor(const sync::v1::Cursor& cursor) {
  const bool kept = cursor.audience() != 0;
  SQLite::Statement& statement =
      kept ? Prepared(
                 "INSERT OR REPLACE INTO cursor (scope, version, audience, seal)"
                 " VALUES (?,?,?,?)")
           : Prepared("DELETE FROM cursor WHERE scope=?");
  Bind(statement, 1, cursor.scope());
  if (kept) {
    statement.bind(2, Signed(cursor.version()));
    statement.bind(3, cursor.audience());
    Bind(statement, 4, cursor.seal());
  }
  statement.exec();
}

std::string Tables::GetSetting(const std::string& name) {
  SQLite::Statement& statement = Prepared("SELECT value FROM setting WHERE name=?");
  statement.bindNoCopy(1, name);
  std::string value;
  if (statement.executeStep()) {
    value = Opened(seal_, PlaceOf(kSetting, name), statement.getColumn(0));
  }
  statement.reset();
  return value;
}

int64_t Tables::GetNumber(const std::string& name) {
  int64_t value = 0;
  (void)absl::SimpleAtoi(GetSetting(name), &value);  // not yet set: 0
  return value;
}

void Tables::PutSetting(const std::string& name, absl::string_view value) {
  SQLite::Statement& statement =
      Prepared("INSERT OR REPLACE INTO setting (name, value) VALUES (?,?)");
  const std::string sealed = seal_.Close(PlaceOf(kSetting, name), value);
  statement.bindNoCopy(1, name);
  Bind(statement, 2, sealed);
  statement.exec();
}

void Tables::PutNumber(const std::string& name, int64_t value) {
  PutSetting(name, absl::StrCat(value));
}

}  // namespace zhibu::client
