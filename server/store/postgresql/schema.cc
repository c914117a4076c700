#include "server/store/postgresql/schema.h"

#include <iterator>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/crypto/own_key.h"

namespace zhibu::server::postgresql {
namespace {

// The tables are those of server/store/sqlite/schema.cc, which says what each is for and what is
// sealed; here is what is otherwise. Every one has a distribution key, by which a sharded
// PostgreSQL would lay its rows out, and which each of its unique keys contains:
//
//   scope    id      the scope itself
//   feed     scope   beside its scope: a device's update is read in one place
//   record   id      a record lies in several scopes, so it can lie beside none of them: the feed
//                    has its key, and reading bodies by a feed crosses shards, a page at a time.
//                    `spread` comes first, so that records which come about now do not all lie in
//                    one page of the index: whoever looks there for one would conflict with all
//                    who add one
//   audit    device  a chain is in one place. Finding an edit by what it is (audit_edit) asks every
//                    shard; hashed, so that what comes now lies apart
//   device   number  found by key and by record on every shard, at enrolment only
//   mark     mark    a look-up has one mark
//   code     digest
//   counter  name    one row each; `device` is the only number that the whole country shares, and
//                    moves at enrolment only
//   sums     scope   beside its scope, which whoever adds to them has locked, as a rule. So two
//                    processes that write for one organisation wait for each other once, and a lane
//                    for each would spare nothing. What an edit reads and writes of them is spread
//                    over the index, as with records
//   hanging  on_id   found by what it hangs on, and spread by that
//   moves    type, lane   how often records of a type were written (RecordReader::MovesOf): each
//                    process adds in a lane of its own, or every write would wait for every other
//   setting, seal, zhibu   a few rows that hardly change: kept whole on each shard
//
// No sequence, and no foreign key: what crosses shards is held together by the serializable
// transaction that writes it. Numbers that are unsigned in the program keep their bits.
//
// Migrations: entry n takes a schema from version n to n + 1. None is ever changed once released.
constexpr const char* kMigrations[] = {
    // 1: the first.
    R"sql(
CREATE TABLE scope (
  id bytea PRIMARY KEY,
  version bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE record (
  spread bigint GENERATED ALWAYS AS (get_byte(id, 15)) STORED,
  type bigint NOT NULL,
  id bytea NOT NULL CHECK (octet_length(id) = 16),
  touch_version bigint NOT NULL,
  touch_writer bigint NOT NULL,
  touch_stamp bigint NOT NULL,
  deletion_version bigint,
  deletion_writer bigint,
  deletion_stamp bigint,
  body bytea NOT NULL,
  trace bytea NOT NULL,
  PRIMARY KEY (spread, type, id)
);
CREATE INDEX record_key ON record (type, id);

CREATE TABLE feed (
  scope bytea NOT NULL,
  type bigint NOT NULL,
  id bytea NOT NULL CHECK (octet_length(id) = 16),
  offices bigint NOT NULL,
  version bigint NOT NULL,
  present boolean NOT NULL,
  since bigint NOT NULL,
  PRIMARY KEY (scope, type, id, offices)
);
CREATE INDEX feed_version ON feed (scope, version, type, id, offices) INCLUDE (present, since);

CREATE TABLE audit (
  device bigint NOT NULL,
  number bigint NOT NULL,
  arrived bigint NOT NULL,
  received_ms bigint NOT NULL,
  stamp bigint NOT NULL,
  edit bytea NOT NULL,
  answer bytea NOT NULL,
  version bigint NOT NULL,
  chain bytea NOT NULL,
  made_ms bigint NOT NULL,
  beside bytea NOT NULL,
  link bigint NOT NULL,
  verdict bigint NOT NULL,
  PRIMARY KEY (device, number)
);
CREATE INDEX audit_edit ON audit USING hash (link);

CREATE TABLE device (
  number bigint PRIMARY KEY,
  public_key bytea NOT NULL,
  person bytea NOT NULL,
  record bytea NOT NULL,
  name bytea NOT NULL,
  revoked bigint NOT NULL,
  enrolled_ms bigint NOT NULL,
  last_seen_ms bigint NOT NULL,
  last_number bigint NOT NULL,
  safe_number bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX device_key ON device (public_key);
CREATE INDEX device_record ON device (record);

CREATE TABLE counter (name text PRIMARY KEY, value bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE moves (
  type bigint NOT NULL,
  lane bigint NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (type, lane)
) WITH (fillfactor = 50);
CREATE TABLE setting (name text PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE code (digest bytea PRIMARY KEY, person bytea NOT NULL, expires_ms bigint NOT NULL);
CREATE TABLE mark (mark bytea NOT NULL, person bytea NOT NULL, PRIMARY KEY (mark, person));
CREATE TABLE seal (key bytea NOT NULL);
CREATE TABLE zhibu (version bigint NOT NULL);
INSERT INTO zhibu (version) VALUES (0);
)sql",
    // 2: what figures come to is kept, and not worked out from all there is.
    R"sql(
CREATE TABLE sums (
  spread bigint GENERATED ALWAYS AS (get_byte(scope, 15)) STORED,
  scope bytea NOT NULL CHECK (octet_length(scope) = 16),
  year bigint NOT NULL,
  entries bytea NOT NULL,
  PRIMARY KEY (spread, scope, year)
) WITH (fillfactor = 50);
CREATE TABLE hanging (
  spread bigint GENERATED ALWAYS AS (get_byte(on_id, 15)) STORED,
  on_type bigint NOT NULL,
  on_id bytea NOT NULL CHECK (octet_length(on_id) = 16),
  type bigint NOT NULL,
  id bytea NOT NULL CHECK (octet_length(id) = 16),
  PRIMARY KEY (spread, on_type, on_id, type, id)
);
)sql",
};
constexpr auto kCurrent = static_cast<int64_t>(std::size(kMigrations));

constexpr const char* kTables[] = {"seal",   "scope",   "record", "feed",    "audit",
                                   "device", "counter", "moves",  "setting", "code",
                                   "mark",   "sums",    "hanging"};

// Until the transaction ends.
constexpr char kWaitForOthers[] =
    "SELECT pg_advisory_xact_lock(hashtextextended('zhibu ' || current_schema(), 0))";
constexpr char kHasOurs[] =
    "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
    " AND tablename = 'zhibu'";
constexpr char kHasAny[] = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";

absl::StatusOr<int64_t> Number(Connection& connection, const std::string& sql) {
  ASSIGN_OR_RETURN(const Rows rows, connection.AskPlain(sql));
  int64_t number = 0;
  if (rows.empty() || !absl::SimpleAtoi(rows.View(0, 0), &number)) {
    return absl::InternalError(absl::StrCat("no number: ", sql));
  }
  return number;
}

absl::Status Newer(absl::string_view what, int64_t version) {
  return absl::FailedPreconditionError(absl::StrCat(
      what, " was written by a newer version of Zhibu (schema ", version, "; this one knows ",
      kCurrent, "). It has not been touched, and nothing is lost. Update"));
}

absl::Status MakeSeal(Connection& connection, const std::string& key,
                      const std::function<std::string(size_t)>& random_bytes) {
  if (key.empty()) return absl::OkStatus();
  std::string sealed;
  OwnKey(key, random_bytes).Make(&sealed);
  return connection
      .AskPlain(
          absl::StrCat("INSERT INTO seal (key) VALUES ('\\x", absl::BytesToHexString(sealed), "')"))
      .status();
}

absl::Status Migrate(Connection& connection, int64_t from, int64_t to) {
  for (; from < to; ++from) RETURN_IF_ERROR(connection.AskPlain(kMigrations[from]).status());
  return connection.AskPlain(absl::StrCat("UPDATE zhibu SET version = ", to)).status();
}

}  // namespace

absl::StatusOr<int64_t> VersionOf(Connection& connection) {
  ASSIGN_OR_RETURN(const int64_t ours, Number(connection, kHasOurs));
  if (ours == 0) {
    ASSIGN_OR_RETURN(const int64_t any, Number(connection, kHasAny));
    if (any == 0) return 0;
    return absl::FailedPreconditionError(
        "The database holds tables of another program. It has not been touched. Give this server a "
        "database of its own, or a schema");
  }
  ASSIGN_OR_RETURN(const int64_t version, Number(connection, "SELECT version FROM zhibu"));
  if (version <= kCurrent) return version;
  return Newer("The database", version);
}

absl::StatusOr<Seal> SealOf(Connection& connection, const std::string& key,
                            const std::function<std::string(size_t)>& random_bytes) {
  ASSIGN_OR_RETURN(const Rows rows, connection.AskPlain("SELECT encode(key, 'hex') FROM seal"));
  if (!rows.empty()) {
    return OwnKey(key, random_bytes)
        .Unlock(absl::HexStringToBytes(rows.View(0, 0)), "the database");
  }
  if (key.empty()) return Seal();
  return absl::FailedPreconditionError(
      "The database was made without a key, and is not encrypted when it is given one later. It "
      "has "
      "not been touched");
}

absl::Status MakeSchema(Connection& connection, int64_t version) {
  RETURN_IF_ERROR(connection.AskPlain(kWaitForOthers).status());
  if (version < 1 || version > kCurrent) return Newer("The backup", version);
  ASSIGN_OR_RETURN(const int64_t any, Number(connection, kHasAny));
  if (any == 0) return Migrate(connection, 0, version);
  return absl::FailedPreconditionError(
      "The database is not empty. It has not been touched. Restore into a new one");
}

absl::StatusOr<Seal> PrepareSchema(Connection& connection, const std::string& key,
                                   const std::function<std::string(size_t)>& random_bytes) {
  Seal seal;
  RETURN_IF_ERROR(connection.RunPlain("BEGIN", [&]() -> absl::Status {
    RETURN_IF_ERROR(connection.AskPlain(kWaitForOthers).status());
    ASSIGN_OR_RETURN(const int64_t version, VersionOf(connection));
    if (version < kCurrent) RETURN_IF_ERROR(Migrate(connection, version, kCurrent));
    if (version == 0) RETURN_IF_ERROR(MakeSeal(connection, key, random_bytes));
    ASSIGN_OR_RETURN(seal, SealOf(connection, key, random_bytes));
    return absl::OkStatus();
  }));
  return seal;
}

absl::Span<const char* const> Tables() { return kTables; }

}  // namespace zhibu::server::postgresql
