#include "server/store/whole.h"

#include <optional>
#include <utility>

#include "server/store/sqlite/transaction.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"
#include "zhibu/stored/v1/server.pb.h"

namespace zhibu::server::sqlite {
namespace {

struct Sql {
  const char* read;
  const char* put;
};

#define ZHIBU_RECORD_COLUMNS                                                               \
  "type, id, touch_version, touch_writer, touch_stamp, deletion_version, deletion_writer," \
  " deletion_stamp, body, trace"
#define ZHIBU_EDIT_COLUMNS                                                                   \
  "device, number, received_ms, stamp, edit, answer, version, chain, made_ms, beside, link," \
  " verdict, no"
#define ZHIBU_DEVICE_COLUMNS                                                                   \
  "number, public_key, person, record, name, revoked, enrolled_ms, last_seen_ms, last_number," \
  " safe_number"

constexpr Sql kScopes{"SELECT id, version FROM scope WHERE id > ?1 ORDER BY id LIMIT ?2",
                      "INSERT INTO scope (id, version) VALUES (?1, ?2)"};
constexpr Sql kRecords{"SELECT " ZHIBU_RECORD_COLUMNS
                       " FROM record WHERE (type, id) > (?1, ?2) ORDER BY type, id LIMIT ?3",
                       "INSERT INTO record (" ZHIBU_RECORD_COLUMNS
                       ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"};
// Scope by scope: a page begins anew with the scope in which the last one ended.
constexpr Sql kFeeds{
    "SELECT s.id, f.type, f.id, f.offices, f.version, f.present, f.since"
    " FROM scope s CROSS JOIN feed f ON f.scope_no = s.no"
    " WHERE s.id >= ?1 AND (s.id, f.type, f.id, f.offices) > (?1, ?2, ?3, ?4)"
    " ORDER BY s.id, f.type, f.id, f.offices LIMIT ?5",
    "INSERT INTO feed (scope_no, type, id, offices, record_no, version, present, since) VALUES"
    " ((SELECT no FROM scope WHERE id = ?1), ?2, ?3, ?4,"
    " (SELECT no FROM record WHERE type = ?2 AND id = ?3), ?5, ?6, ?7)"};
// Two that arrived at one moment, at two servers, are one after the other here.
constexpr Sql kEdits{"SELECT " ZHIBU_EDIT_COLUMNS
                     " FROM audit WHERE (device, number) > (?1, ?2)"
                     " ORDER BY device, number LIMIT ?3",
                     "INSERT INTO audit (" ZHIBU_EDIT_COLUMNS
                     ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                     " CASE WHEN EXISTS (SELECT 1 FROM audit WHERE no = ?13) THEN NULL"
                     " ELSE ?13 END)"};
constexpr Sql kDevices{"SELECT " ZHIBU_DEVICE_COLUMNS
                       " FROM device WHERE number > ?1 ORDER BY number LIMIT ?2",
                       "INSERT INTO device (" ZHIBU_DEVICE_COLUMNS
                       ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"};
constexpr Sql kCounters{
    "SELECT name, value FROM counter WHERE name > ?1 AND name NOT GLOB 'moves/*'"
    " ORDER BY name LIMIT ?2",
    "INSERT INTO counter (name, value) VALUES (?1, ?2)"};
constexpr Sql kSettings{"SELECT name, value FROM setting WHERE name > ?1 ORDER BY name LIMIT ?2",
                        "INSERT INTO setting (name, value) VALUES (?1, ?2)"};
constexpr Sql kCodes{
    "SELECT digest, person, expires_ms FROM code WHERE digest > ?1 ORDER BY digest LIMIT ?2",
    "INSERT INTO code (digest, person, expires_ms) VALUES (?1, ?2, ?3)"};
constexpr Sql kMarks{
    "SELECT mark, person FROM mark WHERE (mark, person) > (?1, ?2)"
    " ORDER BY mark, person LIMIT ?3",
    "INSERT INTO mark (mark, person) VALUES (?1, ?2)"};

constexpr const Sql* kSql[] = {&kScopes,   &kRecords,  &kFeeds, &kEdits, &kDevices,
                               &kCounters, &kSettings, &kCodes, &kMarks};

const Sql& SqlOf(Part part) { return *kSql[static_cast<size_t>(part)]; }

}  // namespace

PartRow Transaction::RowOf(const Statement& statement, Part part) {
  const absl::string_view columns = ShapeOf(part).columns;
  PartRow row;
  for (size_t i = 0; i < columns.size(); ++i) {
    stored::v1::Cell& cell = *row.add_cells();
    const int column = static_cast<int>(i);
    if (columns[i] == 's') {
      cell.set_bytes(statement.Opened(column, seal_, PlaceOf(part, i, row)));
    } else if (columns[i] == 'b' || columns[i] == 't') {
      cell.set_bytes(statement.Bytes(column));
    } else if (!statement.IsNull(column)) {
      cell.set_number(statement.Int(column));
    }
  }
  return row;
}

absl::Status Transaction::ReadPart(Part part, const PartRow& after, size_t most,
                                   absl::FunctionRef<bool(const PartRow&)> visit) {
  return Reading([&] {
    const PartRow key = KeyOf(part, after);
    const absl::string_view columns = ShapeOf(part).columns;
    Statement statement(connection_, SqlOf(part).read);
    for (int i = 0; i < key.cells_size(); ++i) {
      BindCell(statement, i + 1, columns[static_cast<size_t>(i)], key.cells(i));
    }
    statement.BindAt(key.cells_size() + 1, static_cast<int64_t>(most));
    while (statement.Step() && visit(RowOf(statement, part))) continue;
    return absl::OkStatus();
  });
}

void Transaction::BindCell(Statement& statement, int at, char kind, const stored::v1::Cell& cell) {
  if (kind == 't') {
    statement.BindAt(at, Text{cell.bytes()});
  } else if (cell.has_number()) {
    statement.BindAt(at, cell.number());
  } else if (cell.has_bytes()) {
    statement.BindAt(at, cell.bytes());
  } else {
    statement.BindAt(at, std::optional<int64_t>());
  }
}

absl::Status Transaction::PutPart(Part part, absl::Span<const PartRow> rows) {
  const absl::string_view columns = ShapeOf(part).columns;
  return Writing([&] {
    for (PartRow row : rows) {
      Statement statement(connection_, SqlOf(part).put);
      for (size_t i = 0; i < columns.size(); ++i) {
        stored::v1::Cell& cell = *row.mutable_cells(static_cast<int>(i));
        if (columns[i] == 's') cell.set_bytes(seal_.Close(PlaceOf(part, i, row), cell.bytes()));
        BindCell(statement, static_cast<int>(i) + 1, columns[i], cell);
      }
      statement.Run();
    }
    return absl::OkStatus();
  });
}

}  // namespace zhibu::server::sqlite
