#include "server/store/whole.h"

#include <optional>
#include <utility>
#include <vector>

#include "server/store/postgresql/transaction.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"
#include "zhibu/stored/v1/server.pb.h"

namespace zhibu::server::postgresql {
namespace {

struct Sql {
  const char* read;
  const char* put;
};

#define ZHIBU_RECORD_COLUMNS                                                               \
  "type, id, touch_version, touch_writer, touch_stamp, deletion_version, deletion_writer," \
  " deletion_stamp, body, trace"
#define ZHIBU_FEED_COLUMNS "scope, type, id, offices, version, present, since"
#define ZHIBU_EDIT_COLUMNS                                                                   \
  "device, number, received_ms, stamp, edit, answer, version, chain, made_ms, beside, link," \
  " verdict, arrived"
#define ZHIBU_DEVICE_COLUMNS                                                                   \
  "number, public_key, person, record, name, revoked, enrolled_ms, last_seen_ms, last_number," \
  " safe_number"
// Names are compared as bytes, whatever the database's language.
#define ZHIBU_NAME "name COLLATE \"C\""

constexpr Sql kScopes{"SELECT id, version FROM scope WHERE id > $1 ORDER BY id LIMIT $2",
                      "INSERT INTO scope (id, version) VALUES ($1, $2)"};
constexpr Sql kRecords{"SELECT " ZHIBU_RECORD_COLUMNS
                       " FROM record WHERE (type, id) > ($1, $2) ORDER BY type, id LIMIT $3",
                       "INSERT INTO record (" ZHIBU_RECORD_COLUMNS
                       ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr Sql kFeeds{"SELECT " ZHIBU_FEED_COLUMNS
                     " FROM feed WHERE (scope, type, id, offices) > ($1, $2, $3, $4)"
                     " ORDER BY scope, type, id, offices LIMIT $5",
                     "INSERT INTO feed (" ZHIBU_FEED_COLUMNS
                     ") VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Sql kEdits{"SELECT " ZHIBU_EDIT_COLUMNS
                     " FROM audit WHERE (device, number) > ($1, $2)"
                     " ORDER BY device, number LIMIT $3",
                     "INSERT INTO audit (" ZHIBU_EDIT_COLUMNS
                     ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};
constexpr Sql kDevices{"SELECT " ZHIBU_DEVICE_COLUMNS
                       " FROM device WHERE number > $1 ORDER BY number LIMIT $2",
                       "INSERT INTO device (" ZHIBU_DEVICE_COLUMNS
                       ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
constexpr Sql kCounters{"SELECT name, value FROM counter WHERE " ZHIBU_NAME
                        " > $1 ORDER BY " ZHIBU_NAME " LIMIT $2",
                        "INSERT INTO counter (name, value) VALUES ($1, $2)"};
constexpr Sql kSettings{"SELECT name, value FROM setting WHERE " ZHIBU_NAME
                        " > $1 ORDER BY " ZHIBU_NAME " LIMIT $2",
                        "INSERT INTO setting (name, value) VALUES ($1, $2)"};
constexpr Sql kCodes{
    "SELECT digest, person, expires_ms FROM code WHERE digest > $1 ORDER BY digest LIMIT $2",
    "INSERT INTO code (digest, person, expires_ms) VALUES ($1, $2, $3)"};
constexpr Sql kMarks{
    "SELECT mark, person FROM mark WHERE (mark, person) > ($1, $2) ORDER BY mark, person LIMIT $3",
    "INSERT INTO mark (mark, person) VALUES ($1, $2)"};

constexpr const Sql* kSql[] = {&kScopes,   &kRecords,  &kFeeds, &kEdits, &kDevices,
                               &kCounters, &kSettings, &kCodes, &kMarks};

const Sql& SqlOf(Part part) { return *kSql[static_cast<size_t>(part)]; }

Value ValueOf(char kind, const stored::v1::Cell& cell) {
  switch (kind) {
    case 't':
      return Text{cell.bytes()};
    case 'y':
      return cell.number() != 0;
    case 'n':
      return cell.number();
    case 'o':
      return cell.has_number() ? std::optional<int64_t>(cell.number()) : std::nullopt;
    default:
      return cell.bytes();
  }
}

}  // namespace

absl::StatusOr<PartRow> Transaction::RowOf(const Rows& rows, int at, Part part) {
  const absl::string_view columns = ShapeOf(part).columns;
  PartRow row;
  for (size_t i = 0; i < columns.size(); ++i) {
    stored::v1::Cell& cell = *row.add_cells();
    const int column = static_cast<int>(i);
    if (columns[i] == 's') {
      std::optional<std::string> value = Open(rows, at, column, PlaceOf(part, i, row));
      if (!value) return DamagedRow(PlaceOf(part, i, row));
      cell.set_bytes(*std::move(value));
    } else if (columns[i] == 'b' || columns[i] == 't') {
      cell.set_bytes(rows.Bytes(at, column));
    } else if (columns[i] == 'y') {
      cell.set_number(rows.Bool(at, column) ? 1 : 0);
    } else if (!rows.IsNull(at, column)) {
      cell.set_number(rows.Int(at, column));
    }
  }
  return row;
}

absl::Status Transaction::ReadPart(Part part, const PartRow& after, size_t most,
                                   absl::FunctionRef<bool(const PartRow&)> visit) {
  const PartRow key = KeyOf(part, after);
  std::vector<Value> values;
  for (int i = 0; i < key.cells_size(); ++i) {
    values.push_back(ValueOf(ShapeOf(part).columns[i], key.cells(i)));
  }
  values.push_back(static_cast<int64_t>(most));
  ASSIGN_OR_RETURN(const Rows rows, AskValues(SqlOf(part).read, std::move(values)));
  for (int at = 0; at < rows.size(); ++at) {
    ASSIGN_OR_RETURN(const PartRow row, RowOf(rows, at, part));
    if (!visit(row)) break;
  }
  return absl::OkStatus();
}

absl::Status Transaction::PutPart(Part part, absl::Span<const PartRow> rows) {
  const absl::string_view columns = ShapeOf(part).columns;
  for (PartRow row : rows) {
    std::vector<Value> values;
    for (size_t i = 0; i < columns.size(); ++i) {
      stored::v1::Cell& cell = *row.mutable_cells(static_cast<int>(i));
      if (columns[i] == 's') cell.set_bytes(Close(PlaceOf(part, i, row), cell.bytes()));
      values.push_back(ValueOf(columns[i], cell));
    }
    RETURN_IF_ERROR(QueueValues(SqlOf(part).put, std::move(values)));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server::postgresql
