#include "server/store/sqlite_store.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "sync/handshake.h"
#include "sync/reason.h"
#include "sync/seal.h"
#include "sync/status.h"

namespace zhibu::server {
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
//   feed     one row for each record that lies (present) or lay in a scope.
//            By its key it lists a scope's records of one type; feed_version
//            covers "what has changed since v" in the order of delivery:
//            (version, type, id). type and id repeat the record's, so that
//            neither needs a sort
//   audit    in order of arrival; found by (device, number), and by (made_ms,
//            link): made_ms first, so that what comes about now lies together. As
//            one table clustered by device it is three times slower with many
//            devices: every row would lie in a page of its own device
//   device   devices by number
//   counter  what has been given and must not be given again
//   setting  small values by name
//   code     enrolment codes; `digest` is BLAKE2b-256 of the code
//   seal     the file's own key, sealed with the operator's; no row: not sealed
//
// What people wrote and what is secret is sealed, each value by itself under the name
// of its place (sync/seal.h), as kSealAll spells it: bodies, traces, edits, answers,
// settings, names of devices.
//
// touch_* and deletion_* are RecordState's touches; deletion_version is NULL
// while the record lives. Times are milliseconds since 1970; stamps as in
// sync/types.h. answer is a serialised sync.v1.Answer.
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
};
constexpr int64_t kSchemaVersion = std::size(kMigrations);
constexpr int64_t kApplicationId = 0x5a686962;  // "Zhib"

constexpr int kBusyTimeoutMs = 5000;

// What names the place of a value: see sync/seal.h.
std::string PlaceOf(const char* column, const RecordKey& key) {
  return absl::StrCat(column, "/", key.type, "/", Hex(key.id.bytes()));
}
std::string PlaceOf(const char* column, DeviceNumber device, EditNumber number) {
  return absl::StrCat(column, "/", device.value, "/", number.value);
}
std::string PlaceOf(const char* column, DeviceNumber device) {
  return absl::StrCat(column, "/", device.value);
}
std::string PlaceOf(const char* column, absl::string_view name) {
  return absl::StrCat(column, "/", name);
}
constexpr char kBody[] = "record.body";
constexpr char kTrace[] = "record.trace";
constexpr char kEdit[] = "audit.edit";
constexpr char kAnswer[] = "audit.answer";
constexpr char kSettingValue[] = "setting.value";
constexpr char kDeviceName[] = "device.name";
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

// The first eight columns wherever a record is read: see StateOf.
#define ZHIBU_STATE_COLUMNS                                              \
  "r.touch_version, r.touch_writer, r.touch_stamp, r.deletion_version, " \
  "r.deletion_writer, r.deletion_stamp, r.body, r.trace"
constexpr int kAfterState = 8;

// BEGIN takes its snapshot only at the first read.
constexpr char kTakeSnapshot[] = "SELECT value FROM setting LIMIT 1";

constexpr char kFindScope[] = "SELECT no, version FROM scope WHERE id = ?";
constexpr char kAddScope[] = "INSERT INTO scope (id, version) VALUES (?, 0) RETURNING no";
constexpr char kMoveScope[] = "UPDATE scope SET version = ? WHERE no = ?";

constexpr char kGetRecord[] =
    "SELECT " ZHIBU_STATE_COLUMNS " FROM record r WHERE r.type = ? AND r.id = ?";
constexpr char kPutRecord[] =
    "INSERT INTO record (type, id, touch_version, touch_writer, touch_stamp, deletion_version,"
    " deletion_writer, deletion_stamp, body, trace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (type, id) DO UPDATE SET touch_version = excluded.touch_version,"
    " touch_writer = excluded.touch_writer, touch_stamp = excluded.touch_stamp,"
    " deletion_version = excluded.deletion_version, deletion_writer = excluded.deletion_writer,"
    " deletion_stamp = excluded.deletion_stamp, body = excluded.body, trace = excluded.trace"
    " RETURNING no";
constexpr char kListRecords[] = "SELECT " ZHIBU_STATE_COLUMNS
                                ", r.id FROM record r INDEXED BY record_key"
                                " WHERE r.type = ? AND r.deletion_version IS NULL ORDER BY r.id";

constexpr char kPutFeed[] =
    "INSERT INTO feed (scope_no, type, id, record_no, version, present) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (scope_no, type, id) DO UPDATE SET version = excluded.version,"
    " present = excluded.present";
// LEFT, so that a row whose record is missing shows as damage and is not skipped.
constexpr char kReadFeed[] =
    "SELECT " ZHIBU_STATE_COLUMNS
    ", f.version, f.type, f.id, f.present"
    " FROM feed f INDEXED BY feed_version LEFT JOIN record r ON r.no = f.record_no"
    " WHERE f.scope_no = (SELECT no FROM scope WHERE id = ?) AND f.version > ?"
    " ORDER BY f.version, f.type, f.id";
constexpr char kCountFeed[] =
    "SELECT count(*) FROM feed INDEXED BY feed_version"
    " WHERE scope_no = (SELECT no FROM scope WHERE id = ?) AND version > ?";
constexpr char kEverIn[] =
    "SELECT 1 FROM feed"
    " WHERE scope_no = (SELECT no FROM scope WHERE id = ?) AND type = ? AND id = ?";
constexpr char kListFeed[] =
    "SELECT " ZHIBU_STATE_COLUMNS
    ", f.id FROM feed f LEFT JOIN record r ON r.no = f.record_no"
    " WHERE f.scope_no = (SELECT no FROM scope WHERE id = ?) AND f.type = ? AND f.present = 1"
    " AND r.deletion_version IS NULL ORDER BY f.id";

#define ZHIBU_DEVICE_COLUMNS                                                                   \
  "number, public_key, person, record, name, revoked, enrolled_ms, last_seen_ms, last_number," \
  " safe_number"
constexpr char kGetDevice[] = "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device WHERE number = ?";
constexpr char kListDevices[] = "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device ORDER BY number";
constexpr char kPutDevice[] =
    "REPLACE INTO device (" ZHIBU_DEVICE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
// Also above devices that were put without a number having been asked for.
constexpr char kNextDevice[] =
    "INSERT INTO counter (name, value) VALUES ('device', 1 + max(?,"
    " ifnull((SELECT value FROM counter WHERE name = 'device'), 0),"
    " ifnull((SELECT max(number) FROM device), 0)))"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value";

constexpr char kGetFloor[] = "SELECT value FROM counter WHERE name = 'version'";
constexpr char kRaiseCounter[] =
    "INSERT INTO counter (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";

#define ZHIBU_AUDIT_COLUMNS \
  "device, number, received_ms, stamp, edit, answer, version, chain, made_ms"
constexpr char kGetAudit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE device = ? AND number = ?";
constexpr char kReadAudit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE device = ? AND number > ? ORDER BY number";
constexpr char kFindEdit[] =
    "SELECT " ZHIBU_AUDIT_COLUMNS " FROM audit WHERE made_ms = ? AND link = ? ORDER BY no LIMIT 1";
constexpr char kAppendAudit[] = "INSERT INTO audit (" ZHIBU_AUDIT_COLUMNS
                                ", link) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                                " ON CONFLICT (device, number) DO NOTHING RETURNING no";

constexpr char kGetSetting[] = "SELECT value FROM setting WHERE name = ?";
constexpr char kPutSetting[] = "REPLACE INTO setting (name, value) VALUES (?, ?)";

constexpr char kFindMarked[] = "SELECT person FROM mark WHERE mark = ? ORDER BY person";
constexpr char kPutMark[] = "INSERT OR IGNORE INTO mark (mark, person) VALUES (?, ?)";
constexpr char kDeleteMark[] = "DELETE FROM mark WHERE mark = ? AND person = ?";
constexpr char kPutCode[] = "REPLACE INTO code (digest, person, expires_ms) VALUES (?, ?, ?)";
constexpr char kTakeCode[] = "DELETE FROM code WHERE digest = ? RETURNING person, expires_ms";

absl::Status StatusOf(const SQLite::Exception& error, absl::string_view file) {
  std::string why = absl::StrCat(" (", file, ": ", error.what(), ")");
  constexpr absl::string_view kSafe =
      "Nothing of this was written, and what was there before is safe";
  switch (error.getErrorCode() & 0xff) {
    case SQLITE_FULL:
      return absl::UnavailableError(
          absl::StrCat("The disk is full. ", kSafe, ". Make room and try again", why));
    case SQLITE_IOERR:
      return absl::UnavailableError(absl::StrCat("The disk reported an error. ", kSafe,
                                                 ". Check the disk and try again", why));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat("Another program is using the database. ", kSafe,
                                                 ". Try again when it has ended", why));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return absl::UnavailableError(
          absl::StrCat("The database cannot be opened for writing. ", kSafe,
                       ". Check that the directory exists and its permissions", why));
    case SQLITE_NOMEM:
      return absl::UnavailableError(absl::StrCat("Memory ran out. ", kSafe, ". Try again", why));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          absl::StrCat("The database is damaged, or the file is not one. Nothing was changed. "
                       "Keep the file and restore a backup",
                       why));
    case SQLITE_TOOBIG:
      return absl::InvalidArgumentError(absl::StrCat("Too large to be stored. ", kSafe, why));
    default:
      return absl::InternalError(absl::StrCat("The database refused. ", kSafe, why));
  }
}

// Every call into SQLite goes through here: its exceptions become statuses, and
// `thrown` tells them from what `body` itself returned.
template <typename Body>
auto Catching(absl::string_view file, absl::Status* thrown, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    *thrown = StatusOf(error, file);
    return *thrown;
  }
}

absl::Status Catching(absl::string_view file, absl::FunctionRef<absl::Status()> body) {
  absl::Status thrown;
  return Catching(file, &thrown, [&] { return body(); });
}

[[noreturn]] void ThrowDamage(const std::string& what) {
  throw SQLite::Exception(what, SQLITE_CORRUPT);
}

// One open database and the statements prepared on it, each kept for the next
// use. Not copied: statements hold its address.
class Connection {
 public:
  Connection(const std::string& file, int flags, const std::string& vfs)
      : db_(file, flags | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs, vfs) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  SQLite::Database& db() { return db_; }

  // SQLite ends a transaction by itself after some errors.
  bool InTransaction() const { return sqlite3_get_autocommit(db_.getHandle()) == 0; }

  // `sql` is one of the constants above, known by its address.
  std::unique_ptr<SQLite::Statement> Take(const char* sql) {
    auto& idle = idle_[sql];
    if (idle == nullptr) return std::make_unique<SQLite::Statement>(db_, sql);
    return std::move(idle);
  }
  void Return(const char* sql, std::unique_ptr<SQLite::Statement> statement) {
    idle_[sql] = std::move(statement);
  }

 private:
  SQLite::Database db_;
  absl::flat_hash_map<const char*, std::unique_ptr<SQLite::Statement>> idle_;
};

struct Text {
  absl::string_view value;
};

// One run of a statement. Nested runs of the same one get a statement each.
// What is bound is not copied and must live as long as the query.
class Query {
 public:
  template <typename... Args>
  explicit Query(Connection& connection, const char* sql, const Args&... args)
      : connection_(connection), sql_(sql), statement_(connection.Take(sql)) {
    int column = 0;
    (Bind(++column, args), ...);
  }
  ~Query() {
    statement_->tryReset();
    statement_->clearBindings();
    connection_.Return(sql_, std::move(statement_));
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  bool Step() { return statement_->executeStep(); }
  void Run() {
    while (Step()) continue;
  }

  bool IsNull(int column) const { return statement_->isColumnNull(column); }
  int64_t Int(int column) const { return statement_->getColumn(column).getInt64(); }
  std::string Bytes(int column) const { return statement_->getColumn(column).getString(); }
  std::string Opened(int column, const Seal& seal, const std::string& place) const {
    SQLite::Column value = statement_->getColumn(column);
    const char* bytes = static_cast<const char*>(value.getBlob());
    size_t size = value.getBytes();
    std::optional<std::string> plain = seal.Open(place, {bytes, size});
    if (!plain.has_value()) ThrowDamage(absl::StrCat(place, " cannot be opened"));
    return *std::move(plain);
  }
  template <typename T>
  T Number(int column) const {
    return T(static_cast<decltype(T::value)>(Int(column)));
  }
  Id IdAt(int column) const {
    SQLite::Column value = statement_->getColumn(column);
    const char* bytes = static_cast<const char*>(value.getBlob());
    size_t size = value.getBytes();
    std::optional<Id> id = Id::FromBytes({bytes, size});
    if (!id.has_value()) ThrowDamage("an id is not of 16 bytes");
    return *id;
  }

 private:
  void Bind(int column, int64_t value) { statement_->bind(column, value); }
  void Bind(int column, uint32_t value) { statement_->bind(column, value); }
  void Bind(int column, bool value) { statement_->bind(column, static_cast<int32_t>(value)); }
  void Bind(int column, const char*) = delete;
  template <typename Tag, typename T>
  void Bind(int column, Strong<Tag, T> value) {
    statement_->bind(column, static_cast<int64_t>(value.value));
  }
  void Bind(int column, const Id& id) { Bind(column, id.bytes()); }
  void Bind(int column, const std::string& blob) { Bind(column, absl::string_view(blob)); }
  void Bind(int column, absl::string_view blob) {
    // A null pointer would be bound as NULL.
    const char* data = blob.data() == nullptr ? "" : blob.data();
    statement_->bindNoCopy(column, static_cast<const void*>(data), static_cast<int>(blob.size()));
  }
  void Bind(int column, Text text) { statement_->bind(column, std::string(text.value)); }
  template <typename T>
  void Bind(int column, const std::optional<T>& value) {
    if (value.has_value()) {
      Bind(column, *value);
    } else {
      statement_->bind(column);
    }
  }

  Connection& connection_;
  const char* sql_;
  std::unique_ptr<SQLite::Statement> statement_;
};

RecordState StateOf(const Query& row, const Seal& seal, const RecordKey& key) {
  if (row.IsNull(0)) ThrowDamage("the record of a feed row is missing");
  RecordState state;
  state.exists = true;
  state.touch = {row.Number<Version>(0), row.Number<DeviceNumber>(1), row.Number<Stamp>(2)};
  if (!row.IsNull(3)) {
    state.deletion =
        Touch{row.Number<Version>(3), row.Number<DeviceNumber>(4), row.Number<Stamp>(5)};
  }
  state.body = row.Opened(6, seal, PlaceOf(kBody, key));
  state.trace = row.Opened(7, seal, PlaceOf(kTrace, key));
  return state;
}

DeviceRow DeviceOf(const Query& row, const Seal& seal) {
  DeviceRow device;
  device.number = row.Number<DeviceNumber>(0);
  device.public_key = row.Bytes(1);
  device.person = row.IdAt(2);
  device.record = row.IdAt(3);
  device.name = row.Opened(4, seal, PlaceOf(kDeviceName, device.number));
  device.standing = static_cast<DeviceRow::Standing>(row.Int(5));
  device.enrolled_ms = row.Int(6);
  device.last_seen_ms = row.Int(7);
  device.last_number = row.Number<EditNumber>(8);
  device.safe_number = row.Number<EditNumber>(9);
  return device;
}

AuditRow AuditOf(const Query& row, const Seal& seal) {
  AuditRow audit;
  audit.device = row.Number<DeviceNumber>(0);
  audit.number = row.Number<EditNumber>(1);
  audit.received_ms = row.Int(2);
  audit.stamp = row.Number<Stamp>(3);
  audit.edit = row.Opened(4, seal, PlaceOf(kEdit, audit.device, audit.number));
  const std::string place = PlaceOf(kAnswer, audit.device, audit.number);
  if (!audit.answer.ParseFromString(row.Opened(5, seal, place))) {
    ThrowDamage("an answer cannot be read");
  }
  audit.version = row.Number<Version>(6);
  audit.chain = row.Bytes(7);
  audit.made_ms = row.Int(8);
  return audit;
}

std::string DigestOf(absl::string_view code) {
  std::string digest(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                     reinterpret_cast<const unsigned char*>(code.data()), code.size(), nullptr, 0);
  return digest;
}

constexpr uint64_t kHighest = std::numeric_limits<int64_t>::max();

// Past the highest that is stored there is nothing, whatever the bits of `after`.
template <typename T>
T Bounded(T after) {
  return T(std::min(after.value, kHighest));
}

bool Storable(const RecordState& state) {
  return state.exists && state.touch.version.value <= kHighest &&
         (!state.deletion.has_value() || state.deletion->version.value <= kHighest);
}

bool Contains(absl::Span<const Id> ids, const Id& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// Both kinds: Read hands it out as a Reader only.
class Transaction final : public Writer {
 public:
  Transaction(Connection& connection, absl::string_view file, const Seal& seal)
      : connection_(connection), file_(file), seal_(seal) {}

  // Once, before the commit.
  absl::Status WriteScopes();

  // OK unless the transaction cannot be committed any more.
  const absl::Status& broken() const { return broken_; }

  absl::StatusOr<RecordState> GetRecord(const RecordKey& key) override;
  absl::StatusOr<Version> ScopeVersion(const Id& scope) override;
  absl::Status ReadFeed(const Id& scope, Version after,
                        absl::FunctionRef<bool(const FeedRow&)> visit) override;
  absl::StatusOr<uint64_t> CountFeed(const Id& scope, Version after) override;
  absl::StatusOr<bool> EverIn(const Id& scope, const RecordKey& key) override;
  absl::Status ListRecords(uint32_t type, std::optional<Id> scope,
                           absl::FunctionRef<void(const Id&, const RecordState&)> visit) override;
  absl::StatusOr<std::optional<DeviceRow>> GetDevice(DeviceNumber number) override;
  absl::StatusOr<std::vector<DeviceRow>> ListDevices() override;
  absl::StatusOr<std::optional<AuditRow>> GetAudit(DeviceNumber device, EditNumber number) override;
  absl::StatusOr<std::optional<AuditRow>> FindEdit(int64_t made_ms,
                                                   absl::string_view edit) override;
  absl::Status ReadAudit(DeviceNumber device, EditNumber after,
                         absl::FunctionRef<bool(const AuditRow&)> visit) override;
  absl::StatusOr<std::vector<Id>> FindMarked(absl::string_view mark) override;
  absl::StatusOr<std::string> GetSetting(absl::string_view name) override;

  absl::StatusOr<Version> NextVersion(absl::Span<const Id> scopes) override;
  absl::Status RaiseCounters(Version version, DeviceNumber device) override;
  absl::Status PutRecord(const RecordKey& key, const RecordState& state,
                         absl::Span<const Id> before, absl::Span<const Id> after) override;
  absl::Status PutDevice(const DeviceRow& device) override;
  absl::StatusOr<DeviceNumber> NextDevice() override;
  absl::Status AppendAudit(const AuditRow& row) override;
  absl::Status PutMark(absl::string_view mark, const Id& person) override;
  absl::Status DeleteMark(absl::string_view mark, const Id& person) override;
  absl::Status PutSetting(absl::string_view name, absl::string_view value) override;
  absl::Status PutCode(const EnrolmentCode& code) override;
  absl::StatusOr<EnrolmentCode> TakeCode(absl::string_view code) override;

 private:
  struct ScopeRow {
    int64_t no = 0;
    Version version;
    bool moved = false;  // not written yet: an edit moves several, a batch the same ones often
  };

  Version Floor();

  // A read that failed spoils the transaction only if SQLite has ended it.
  template <typename Body>
  auto Reading(Body body) -> decltype(body()) {
    if (!broken_.ok()) return broken_;
    absl::Status thrown;
    auto result = Catching(file_, &thrown, body);
    if (!thrown.ok() && !connection_.InTransaction()) broken_ = thrown;
    return result;
  }
  // A write that failed may have done half its work.
  template <typename Body>
  auto Writing(Body body) -> decltype(body()) {
    if (!broken_.ok()) return broken_;
    return Catching(file_, &broken_, body);
  }

  ScopeRow& LoadScope(const Id& scope);
  void MoveScope(ScopeRow& row, Version version);
  int64_t StoreRecord(const RecordKey& key, const RecordState& state);
  void MoveRow(const Id& scope, const RecordKey& key, int64_t record_no, Version version,
               bool present);

  Connection& connection_;
  absl::string_view file_;
  const Seal& seal_;
  absl::Status broken_;
  std::optional<Version> floor_;              // below every version that is given
  absl::flat_hash_map<Id, ScopeRow> scopes_;  // those written to so far
};

absl::StatusOr<RecordState> Transaction::GetRecord(const RecordKey& key) {
  return Reading([&]() -> absl::StatusOr<RecordState> {
    Query row(connection_, kGetRecord, key.type, key.id);
    return row.Step() ? StateOf(row, seal_, key) : RecordState();
  });
}

absl::StatusOr<Version> Transaction::ScopeVersion(const Id& scope) {
  return Reading([&]() -> absl::StatusOr<Version> {
    if (const auto known = scopes_.find(scope); known != scopes_.end()) {
      return known->second.version;
    }
    Query row(connection_, kFindScope, scope);
    return row.Step() ? row.Number<Version>(1) : Version();
  });
}

absl::Status Transaction::ReadFeed(const Id& scope, Version after,
                                   absl::FunctionRef<bool(const FeedRow&)> visit) {
  return Reading([&] {
    Query row(connection_, kReadFeed, scope, Bounded(after));
    bool more = true;
    while (more && row.Step()) {
      FeedRow feed;
      feed.version = row.Number<Version>(kAfterState);
      feed.key.type = static_cast<uint32_t>(row.Int(kAfterState + 1));
      feed.key.id = row.IdAt(kAfterState + 2);
      feed.state = StateOf(row, seal_, feed.key);
      feed.present = row.Int(kAfterState + 3) != 0;
      more = visit(feed);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<uint64_t> Transaction::CountFeed(const Id& scope, Version after) {
  return Reading([&]() -> absl::StatusOr<uint64_t> {
    Query row(connection_, kCountFeed, scope, Bounded(after));
    return row.Step() ? static_cast<uint64_t>(row.Int(0)) : 0;
  });
}

absl::StatusOr<bool> Transaction::EverIn(const Id& scope, const RecordKey& key) {
  return Reading([&]() -> absl::StatusOr<bool> {
    Query row(connection_, kEverIn, scope, key.type, key.id);
    return row.Step();
  });
}

absl::Status Transaction::ListRecords(
    uint32_t type, std::optional<Id> scope,
    absl::FunctionRef<void(const Id&, const RecordState&)> visit) {
  auto visit_all = [&](Query& row) {
    while (row.Step()) {
      const Id id = row.IdAt(kAfterState);
      visit(id, StateOf(row, seal_, {type, id}));
    }
    return absl::OkStatus();
  };
  return Reading([&] {
    if (scope.has_value()) {
      Query in_scope(connection_, kListFeed, *scope, type);
      return visit_all(in_scope);
    }
    Query everywhere(connection_, kListRecords, type);
    return visit_all(everywhere);
  });
}

absl::StatusOr<std::optional<DeviceRow>> Transaction::GetDevice(DeviceNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<DeviceRow>> {
    Query row(connection_, kGetDevice, number);
    if (!row.Step()) return std::nullopt;
    return DeviceOf(row, seal_);
  });
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::ListDevices() {
  return Reading([&]() -> absl::StatusOr<std::vector<DeviceRow>> {
    std::vector<DeviceRow> devices;
    Query row(connection_, kListDevices);
    while (row.Step()) devices.push_back(DeviceOf(row, seal_));
    return devices;
  });
}

absl::StatusOr<std::optional<AuditRow>> Transaction::GetAudit(DeviceNumber device,
                                                              EditNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Query row(connection_, kGetAudit, device, number);
    if (!row.Step()) return std::nullopt;
    return AuditOf(row, seal_);
  });
}

absl::StatusOr<std::optional<AuditRow>> Transaction::FindEdit(int64_t made_ms,
                                                              absl::string_view edit) {
  return Reading([&]() -> absl::StatusOr<std::optional<AuditRow>> {
    Query row(connection_, kFindEdit, made_ms, static_cast<int64_t>(LinkTo(edit)));
    if (!row.Step()) return std::nullopt;
    return AuditOf(row, seal_);
  });
}

absl::Status Transaction::ReadAudit(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<bool(const AuditRow&)> visit) {
  return Reading([&] {
    Query row(connection_, kReadAudit, device, Bounded(after));
    bool more = true;
    while (more && row.Step()) more = visit(AuditOf(row, seal_));
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Id>> Transaction::FindMarked(absl::string_view mark) {
  return Reading([&]() -> absl::StatusOr<std::vector<Id>> {
    std::vector<Id> marked;
    Query row(connection_, kFindMarked, mark);
    while (row.Step()) marked.push_back(row.IdAt(0));
    return marked;
  });
}

absl::StatusOr<std::string> Transaction::GetSetting(absl::string_view name) {
  return Reading([&]() -> absl::StatusOr<std::string> {
    Query row(connection_, kGetSetting, Text{name});
    return row.Step() ? row.Opened(0, seal_, PlaceOf(kSettingValue, name)) : std::string();
  });
}

absl::StatusOr<Version> Transaction::NextVersion(absl::Span<const Id> scopes) {
  return Writing([&]() -> absl::StatusOr<Version> {
    Version highest = Floor();
    for (const Id& scope : scopes) highest = std::max(highest, LoadScope(scope).version);
    Version next(highest.value + 1);
    for (const Id& scope : scopes) MoveScope(LoadScope(scope), next);
    return next;
  });
}

Version Transaction::Floor() {
  if (!floor_) {
    Query row(connection_, kGetFloor);
    floor_ = row.Step() ? row.Number<Version>(0) : Version();
  }
  return *floor_;
}

absl::Status Transaction::RaiseCounters(Version version, DeviceNumber device) {
  return Writing([&] {
    Query(connection_, kRaiseCounter, Text{"version"}, version).Run();
    Query(connection_, kRaiseCounter, Text{"device"}, device).Run();
    floor_.reset();
    return absl::OkStatus();
  });
}

absl::Status Transaction::PutRecord(const RecordKey& key, const RecordState& state,
                                    absl::Span<const Id> before, absl::Span<const Id> after) {
  if (!Storable(state)) {
    return absl::InvalidArgumentError("a record is stored with the version the server gave it");
  }
  return Writing([&] {
    int64_t record_no = StoreRecord(key, state);
    for (const Id& scope : after) MoveRow(scope, key, record_no, state.version(), true);
    for (const Id& scope : before) {
      if (!Contains(after, scope)) MoveRow(scope, key, record_no, state.version(), false);
    }
    return absl::OkStatus();
  });
}

absl::Status Transaction::PutDevice(const DeviceRow& device) {
  return Writing([&] {
    const std::string name = seal_.Close(PlaceOf(kDeviceName, device.number), device.name);
    Query(connection_, kPutDevice, device.number, device.public_key, device.person, device.record,
          name, static_cast<int64_t>(device.standing), device.enrolled_ms, device.last_seen_ms,
          device.last_number, device.safe_number)
        .Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<DeviceNumber> Transaction::NextDevice() {
  return Writing([&]() -> absl::StatusOr<DeviceNumber> {
    Query row(connection_, kNextDevice, kServerDevice);
    row.Step();
    return row.Number<DeviceNumber>(0);
  });
}

absl::Status Transaction::AppendAudit(const AuditRow& row) {
  if (row.number.value > kHighest || row.version.value > kHighest) {
    return absl::InvalidArgumentError("an edit's number and version are below 2^63");
  }
  return Writing([&]() -> absl::Status {
    const std::string edit = seal_.Close(PlaceOf(kEdit, row.device, row.number), row.edit);
    const std::string answer =
        seal_.Close(PlaceOf(kAnswer, row.device, row.number), row.answer.SerializeAsString());
    Query insert(connection_, kAppendAudit, row.device, row.number, row.received_ms, row.stamp,
                 edit, answer, row.version, row.chain, row.made_ms,
                 static_cast<int64_t>(LinkTo(row.edit)));
    if (insert.Step()) return absl::OkStatus();
    return absl::AlreadyExistsError(absl::StrCat("edit ", row.number.value, " of device ",
                                                 row.device.value, " has been answered"));
  });
}

absl::Status Transaction::PutMark(absl::string_view mark, const Id& person) {
  return Writing([&] {
    Query(connection_, kPutMark, mark, person).Run();
    return absl::OkStatus();
  });
}

absl::Status Transaction::DeleteMark(absl::string_view mark, const Id& person) {
  return Writing([&] {
    Query(connection_, kDeleteMark, mark, person).Run();
    return absl::OkStatus();
  });
}

absl::Status Transaction::PutSetting(absl::string_view name, absl::string_view value) {
  return Writing([&] {
    const std::string sealed = seal_.Close(PlaceOf(kSettingValue, name), value);
    Query(connection_, kPutSetting, Text{name}, sealed).Run();
    return absl::OkStatus();
  });
}

absl::Status Transaction::PutCode(const EnrolmentCode& code) {
  return Writing([&] {
    std::string digest = DigestOf(code.code);
    Query(connection_, kPutCode, digest, code.person, code.expires_ms).Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<EnrolmentCode> Transaction::TakeCode(absl::string_view code) {
  return Writing([&]() -> absl::StatusOr<EnrolmentCode> {
    std::string digest = DigestOf(code);
    Query row(connection_, kTakeCode, digest);
    if (!row.Step()) return absl::NotFoundError("the code is unknown or has been used");
    return EnrolmentCode{std::string(code), row.IdAt(0), row.Int(1)};
  });
}

Transaction::ScopeRow& Transaction::LoadScope(const Id& scope) {
  auto [it, added] = scopes_.try_emplace(scope);
  if (!added) return it->second;
  Query row(connection_, kFindScope, scope);
  if (row.Step()) {
    it->second = {row.Int(0), row.Number<Version>(1), false};
  } else {
    Query insert(connection_, kAddScope, scope);
    insert.Step();
    it->second = {insert.Int(0), Version(), false};
  }
  return it->second;
}

void Transaction::MoveScope(ScopeRow& row, Version version) {
  if (row.version >= version) return;
  row.version = version;
  row.moved = true;
}

absl::Status Transaction::WriteScopes() {
  return Writing([&] {
    for (const auto& [id, row] : scopes_) {
      if (row.moved) Query(connection_, kMoveScope, row.version, row.no).Run();
    }
    return absl::OkStatus();
  });
}

int64_t Transaction::StoreRecord(const RecordKey& key, const RecordState& state) {
  std::optional<Version> version;
  std::optional<DeviceNumber> writer;
  std::optional<Stamp> stamp;
  if (state.deletion.has_value()) {
    version = state.deletion->version;
    writer = state.deletion->writer;
    stamp = state.deletion->stamp;
  }
  const std::string body = seal_.Close(PlaceOf(kBody, key), state.body);
  const std::string trace = seal_.Close(PlaceOf(kTrace, key), state.trace);
  Query put(connection_, kPutRecord, key.type, key.id, state.touch.version, state.touch.writer,
            state.touch.stamp, version, writer, stamp, body, trace);
  put.Step();
  return put.Int(0);
}

void Transaction::MoveRow(const Id& scope, const RecordKey& key, int64_t record_no, Version version,
                          bool present) {
  ScopeRow& row = LoadScope(scope);
  // No row of a feed is past its scope's version, or a later one could be given
  // the same version and be missed.
  MoveScope(row, version);
  Query(connection_, kPutFeed, row.no, key.type, key.id, record_no, version, present).Run();
}

// --- The file -----------------------------------------------------------------

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

absl::Status SyncToDisk(const std::string& path, int flags) {
  int fd = ::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    int failed = ::fsync(fd);
    int error = errno;
    ::close(fd);
    errno = error;
    if (failed == 0) return absl::OkStatus();
  }
  return absl::UnavailableError(
      absl::StrCat("The disk reported an error. The store is safe; the "
                   "backup is not complete. Try again (",
                   path, ": ", std::strerror(errno), ")"));
}

// A journal that outlived its copy would be played into the next one.
void RemovePartial(const std::string& partial) {
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  std::filesystem::remove(absl::StrCat(partial, "-journal"), ignored);
}

// Moves a finished copy to its name, so that half a backup never bears it.
absl::Status Publish(const std::string& partial, const std::string& file) {
  RETURN_IF_ERROR(SyncToDisk(partial, 0));
  std::error_code error;
  std::filesystem::rename(partial, file, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("The backup could not be given its name. The store "
                     "is safe. Try again (",
                     file, ": ", error.message(), ")"));
  }
  std::string directory = std::filesystem::path(file).parent_path().string();
  return SyncToDisk(directory.empty() ? "." : directory, O_DIRECTORY);
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string file, SqliteOptions options)
      : file_(std::move(file)), options_(std::move(options)) {}

  absl::Status Open();

  absl::Status Read(absl::FunctionRef<absl::Status(Reader&)> body) override;
  absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body) override;
  absl::Status Backup(const std::string& file) override;

 private:
  absl::Status Run(Connection& connection, const char* begin,
                   absl::FunctionRef<absl::Status(Transaction&)> body);
  std::unique_ptr<Connection> TakeReader();
  void ReturnReader(std::unique_ptr<Connection> reader);
  void CopyTo(const std::string& file);

  const std::string file_;
  const SqliteOptions options_;
  Seal seal_;  // as Open leaves it

  absl::Mutex write_mutex_;
  // Closed after the readers, so that it is the one to tidy up the log.
  std::unique_ptr<Connection> writer_ ABSL_GUARDED_BY(write_mutex_)
      ABSL_PT_GUARDED_BY(write_mutex_);

  absl::Mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> idle_readers_ ABSL_GUARDED_BY(readers_mutex_);

  absl::Mutex backup_mutex_;  // one at a time, so that two cannot share a partial file
};

absl::Status SqliteStore::Open() {
  return Catching(file_, [&]() -> absl::Status {
    absl::MutexLock write_lock(&write_mutex_);
    writer_ = std::make_unique<Connection>(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                           options_.vfs);
    RETURN_IF_ERROR(PrepareFile(writer_->db(), file_, options_, &seal_));
    for (int i = 0; i < std::max(options_.readers, 1); ++i) {
      auto reader = std::make_unique<Connection>(file_, SQLite::OPEN_READWRITE, options_.vfs);
      reader->db().exec("PRAGMA query_only = ON; PRAGMA cache_size = -16384");
      ReturnReader(std::move(reader));
    }
    return absl::OkStatus();
  });
}

absl::Status SqliteStore::Read(absl::FunctionRef<absl::Status(Reader&)> body) {
  std::unique_ptr<Connection> reader = TakeReader();
  absl::Cleanup give_back = [&] { ReturnReader(std::move(reader)); };
  return Run(*reader, "BEGIN", [&](Transaction& transaction) {
    Query(*reader, kTakeSnapshot).Step();
    return body(transaction);
  });
}

absl::Status SqliteStore::Write(absl::FunctionRef<absl::Status(Writer&)> body) {
  absl::MutexLock lock(&write_mutex_);
  return Run(*writer_, "BEGIN IMMEDIATE",
             [&](Transaction& transaction) { return body(transaction); });
}

absl::Status SqliteStore::Run(Connection& connection, const char* begin,
                              absl::FunctionRef<absl::Status(Transaction&)> body) {
  absl::Status status = Catching(file_, [&]() -> absl::Status {
    Query(connection, begin).Run();
    Transaction transaction(connection, file_, seal_);
    RETURN_IF_ERROR(body(transaction));
    RETURN_IF_ERROR(transaction.broken());
    RETURN_IF_ERROR(transaction.WriteScopes());
    Query(connection, "COMMIT").Run();
    return absl::OkStatus();
  });
  if (connection.InTransaction()) connection.db().tryExec("ROLLBACK");
  return status;
}

std::unique_ptr<Connection> SqliteStore::TakeReader() {
  auto any = +[](std::vector<std::unique_ptr<Connection>>* idle) { return !idle->empty(); };
  absl::MutexLock lock(&readers_mutex_, absl::Condition(any, &idle_readers_));
  std::unique_ptr<Connection> reader = std::move(idle_readers_.back());
  idle_readers_.pop_back();
  return reader;
}

void SqliteStore::ReturnReader(std::unique_ptr<Connection> reader) {
  absl::MutexLock lock(&readers_mutex_);
  idle_readers_.push_back(std::move(reader));
}

absl::Status SqliteStore::Backup(const std::string& file) {
  absl::MutexLock lock(&backup_mutex_);
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(file, " is there already and has not been touched. Give another name"));
  }
  std::string partial = absl::StrCat(file, ".partial");
  RemovePartial(partial);
  absl::Status status = Catching(partial, [&] {
    CopyTo(partial);
    return Publish(partial, file);
  });
  if (!status.ok()) RemovePartial(partial);
  return status;
}

void SqliteStore::CopyTo(const std::string& file) {
  // A connection of its own: in write-ahead mode it holds up neither readers nor
  // the writer, however long it takes.
  SQLite::Database source(file_, SQLite::OPEN_READWRITE, kBusyTimeoutMs, options_.vfs);
  SQLite::Database target(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs,
                          options_.vfs);
  {
    SQLite::Backup backup(target, source);
    int result = backup.executeStep(-1);  // all of it in one read: one snapshot
    if (result != SQLITE_DONE) throw SQLite::Exception(sqlite3_errstr(result), result);
  }
  SQLite::Statement mark(target, kPutSetting);
  mark.bind(1, kCopy);
  const std::string sealed = seal_.Close(PlaceOf(kSettingValue, kCopy), "1");
  mark.bind(2, sealed.data(), static_cast<int>(sealed.size()));
  mark.exec();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const std::string& file,
                                                       const SqliteOptions& options) {
  if (sodium_init() < 0) return absl::InternalError("libsodium could not be initialised");
  if (!options.key.empty() && options.key.size() != Seal::kKeySize) {
    return absl::InvalidArgumentError(absl::StrCat("a key has ", Seal::kKeySize, " bytes"));
  }
  auto store = std::make_unique<SqliteStore>(file, options);
  RETURN_IF_ERROR(store->Open());
  return store;
}

}  // namespace zhibu::server
