#include "client-core/store/tables.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/wire/wire.h"
#include "zhibu/stored/v1/client.pb.h"

namespace zhibu::client {
namespace {

// What names the place of a blob: see sync/crypto/seal.h.
constexpr char kConfirmed[] = "record.confirmed";
constexpr char kView[] = "record.view";
std::string PlaceOf(const char* column, const RecordKey& key) {
  return absl::StrCat(column, "/", key.type, "/", Hex(key.id.bytes()));
}
std::string PlaceOfSetting(const std::string& name) { return absl::StrCat("setting.value/", name); }

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

RecordState Unpack(const std::string& place, const std::string& packed) {
  stored::v1::Kept kept;
  if (!kept.ParseFromString(packed)) sqlite::ThrowDamage(place);
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

// Of a row whose columns from `confirmed` on are these two.
Tables::Record ReadRecord(const Seal& seal, const RecordKey& key, const Statement& row,
                          int confirmed) {
  const auto read = [&](const char* what, int column) {
    const std::string place = PlaceOf(what, key);
    return Unpack(place, row.Opened(column, seal, place));
  };
  Tables::Record record;
  if (!row.IsNull(confirmed)) record.confirmed = read(kConfirmed, confirmed);
  if (!row.IsNull(confirmed + 1)) record.view = read(kView, confirmed + 1);
  return record;
}

}  // namespace

Tables::Record Tables::GetRecord(const RecordKey& key) {
  Statement row(connection_, "SELECT confirmed, view FROM record WHERE type=? AND id=?", key.type,
                key.id);
  return row.Step() ? ReadRecord(seal_, key, row, 0) : Record();
}

void Tables::PutRecord(const RecordKey& key, const Record& record) {
  if (!record.view) {
    return record.confirmed.exists ? PutConfirmed(key, record.confirmed) : DeleteRecord(key);
  }
  const std::string view = seal_.Close(PlaceOf(kView, key), Pack(*record.view));
  std::optional<std::string> confirmed;
  if (record.confirmed.exists) {
    confirmed = seal_.Close(PlaceOf(kConfirmed, key), Pack(record.confirmed));
  }
  Statement(connection_,
            "INSERT OR REPLACE INTO record (type, id, confirmed, view) VALUES (?,?,?,?)", key.type,
            key.id, confirmed, view)
      .Run();
}

void Tables::PutConfirmed(const RecordKey& key, const RecordState& confirmed) {
  const std::string packed = seal_.Close(PlaceOf(kConfirmed, key), Pack(confirmed));
  Statement(connection_,
            "INSERT OR REPLACE INTO record (type, id, confirmed, view) VALUES (?,?,?,NULL)",
            key.type, key.id, packed)
      .Run();
}

void Tables::DeleteRecord(const RecordKey& key) {
  Statement(connection_, "DELETE FROM record WHERE type=? AND id=?", key.type, key.id).Run();
}

std::vector<uint32_t> Tables::Types() {
  Statement row(connection_, "SELECT DISTINCT type FROM record");
  std::vector<uint32_t> types;
  while (row.Step()) types.push_back(static_cast<uint32_t>(row.Int(0)));
  return types;
}

void Tables::ListRecords(uint32_t type,
                         absl::FunctionRef<bool(const Id&, const absl::StatusOr<Record>&)> visit) {
  Statement row(connection_, "SELECT id, confirmed, view FROM record WHERE type=? ORDER BY id",
                type);
  const auto read = [&](const Id& id) -> absl::StatusOr<Record> {
    try {
      return ReadRecord(seal_, {type, id}, row, 1);
    } catch (const SQLite::Exception& error) {
      return StatusOf(error);
    }
  };
  while (row.Step()) {
    const Id id = row.IdAt(0);
    if (!visit(id, read(id))) break;
  }
}

void Tables::MakeStale() {
  Statement(connection_,
            "INSERT OR IGNORE INTO stale SELECT type, id FROM record WHERE confirmed IS NOT NULL")
      .Run();
  Statement(connection_, "DELETE FROM cursor").Run();
}

bool Tables::AnyStale() { return Statement(connection_, "SELECT 1 FROM stale LIMIT 1").Step(); }

bool Tables::IsStale(const RecordKey& key) {
  return Statement(connection_, "SELECT 1 FROM stale WHERE type=? AND id=?", key.type, key.id)
      .Step();
}

void Tables::Refreshed(const RecordKey& key) {
  Statement(connection_, "DELETE FROM stale WHERE type=? AND id=?", key.type, key.id).Run();
}

std::vector<RecordKey> Tables::ListStale() {
  Statement row(connection_, "SELECT type, id FROM stale");
  std::vector<RecordKey> stale;
  while (row.Step()) stale.push_back({static_cast<uint32_t>(row.Int(0)), row.IdAt(1)});
  return stale;
}

void Tables::AddTouched(const RecordKey& key, EditNumber number) {
  Statement(connection_, "INSERT OR IGNORE INTO touched (type, id, number) VALUES (?,?,?)",
            key.type, key.id, number)
      .Run();
}

void Tables::DeleteTouched(const RecordKey& key, EditNumber number) {
  Statement(connection_, "DELETE FROM touched WHERE type=? AND id=? AND number=?", key.type, key.id,
            number)
      .Run();
}

std::vector<EditNumber> Tables::TouchedBy(const RecordKey& key) {
  Statement row(connection_, "SELECT number FROM touched WHERE type=? AND id=? ORDER BY number",
                key.type, key.id);
  std::vector<EditNumber> numbers;
  while (row.Step()) numbers.push_back(row.Number<EditNumber>(0));
  return numbers;
}

std::set<Id> Tables::Touched(uint32_t type) {
  Statement row(connection_, "SELECT DISTINCT id FROM touched WHERE type=?", type);
  std::set<Id> ids;
  while (row.Step()) ids.insert(row.IdAt(0));
  return ids;
}

std::vector<sync::v1::Cursor> Tables::Cursors() {
  Statement row(connection_, "SELECT scope, version, audience, seal FROM cursor");
  std::vector<sync::v1::Cursor> cursors;
  while (row.Step()) {
    auto& cursor = cursors.emplace_back();
    cursor.set_scope(row.Bytes(0));
    cursor.set_version(row.Unsigned(1));
    cursor.set_audience(static_cast<uint32_t>(row.Int(2)));
    cursor.set_seal(row.Bytes(3));
  }
  return cursors;
}

void Tables::PutCursor(const sync::v1::Cursor& cursor) {
  if (cursor.audience() == 0) {
    Statement(connection_, "DELETE FROM cursor WHERE scope=?", cursor.scope()).Run();
    return;
  }
  Statement(connection_,
            "INSERT OR REPLACE INTO cursor (scope, version, audience, seal) VALUES (?,?,?,?)",
            cursor.scope(), cursor.version(), cursor.audience(), cursor.seal())
      .Run();
}

std::string Tables::GetSetting(const std::string& name) {
  Statement row(connection_, "SELECT value FROM setting WHERE name=?", sqlite::Text{name});
  return row.Step() ? row.Opened(0, seal_, PlaceOfSetting(name)) : "";
}

int64_t Tables::GetNumber(const std::string& name) {
  int64_t value = 0;
  (void)absl::SimpleAtoi(GetSetting(name), &value);  // not yet set: 0
  return value;
}

void Tables::PutSetting(const std::string& name, absl::string_view value) {
  const std::string sealed = seal_.Close(PlaceOfSetting(name), value);
  Statement(connection_, "INSERT OR REPLACE INTO setting (name, value) VALUES (?,?)",
            sqlite::Text{name}, sealed)
      .Run();
}

void Tables::PutNumber(const std::string& name, int64_t value) {
  PutSetting(name, absl::StrCat(value));
}

}  // namespace zhibu::client
