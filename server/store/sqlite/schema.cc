#include "server/store/sqlite/schema.h"

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
//   device   devices by number; found by their keys and their records as well
//   counter  what has been given and must not be given again; how much there is of
//            something
//   setting  small values by name
//   code     enrolment codes; `digest` is BLAKE2b-256 of the code
//   mark     what is said of persons who may be the same one, and of whom
//   sums     what figures come to, a row for each organisation and year, and one (year 0) for all
//            times: a report of 3,000 branches reads 6,000 rows and not a million, and an edit
//            writes one or two, however many figures it changes
//   hanging  which record hangs on which for a figure's sake, found by what it hangs on
//   seal     the file's own key, sealed with the operator's; no row: not sealed
//
// What people wrote and what is secret is sealed, each value by itself under the name
// of its place (sync/crypto/seal.h), as kSealAll spells it: bodies, traces, edits, answers,
// settings, names of devices, sums.
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
    // 10: enrolling a device, or stopping one, looks at its own rows and not at all devices.
    R"sql(
CREATE INDEX device_key ON device (public_key);
CREATE INDEX device_record ON device (record);
)sql",
    // 11: what figures come to is kept, and not worked out from all there is.
    R"sql(
CREATE TABLE sums (
  scope_no INTEGER NOT NULL,
  year INTEGER NOT NULL,
  entries BLOB NOT NULL,
  PRIMARY KEY (scope_no, year)
) STRICT, WITHOUT ROWID;
CREATE TABLE hanging (
  on_type INTEGER NOT NULL,
  on_id BLOB NOT NULL,
  type INTEGER NOT NULL,
  id BLOB NOT NULL,
  PRIMARY KEY (on_type, on_id, type, id)
) STRICT, WITHOUT ROWID;
)sql",
};
// See sqlite::Format::seal_all.
constexpr char kSealAll[] = R"sql(
UPDATE record SET
  body = seal('record.body/' || type || '/' || lower(hex(id)), body),
  trace = seal('record.trace/' || type || '/' || lower(hex(id)), trace);
UPDATE audit SET
  edit = seal('audit.edit/' || device || '/' || number, edit),
  answer = seal('audit.answer/' || device || '/' || number, answer);
UPDATE setting SET value = seal('setting.value/' || name, value);
UPDATE device SET name = seal('device.name/' || number, name);
UPDATE sums SET entries = seal('sums.entries/' || scope_no || '/' || year, entries);
)sql";

}  // namespace

// Pages are moved into the database every 16 MB of log, and a log that a long read has let grow
// is cut back.
const zhibu::sqlite::Format kFormat{
    .application_id = 0x5a686962,  // "Zhib"
    .migrations = kMigrations,
    .seal_all = kSealAll,
    .pragmas =
        "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;"
        "PRAGMA journal_size_limit = 67108864"};

}  // namespace zhibu::server::sqlite
