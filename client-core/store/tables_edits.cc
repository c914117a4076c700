// Own edits: without an answer, with one, and those that were set aside.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client-core/store/tables.h"
#include "zhibu/stored/v1/client.pb.h"

namespace zhibu::client {
namespace {

using PendingEdit = Tables::PendingEdit;

// What names the place of a blob: see sync/crypto/seal.h.
std::string PlaceOfPending(EditNumber number) {
  return absl::StrCat("pending.edit/", number.value);
}
std::string PlaceOfKept(DeviceNumber device, EditNumber number) {
  return absl::StrCat("kept.edit/", device.value, "/", number.value);
}
std::string PlaceOfAnswer(int64_t place) { return absl::StrCat("set_aside.answer/", place); }
std::string PlaceOfSetAside(int64_t place) { return absl::StrCat("set_aside.edit/", place); }
std::string PlaceOfSketch(int64_t place) { return absl::StrCat("sketch.sketch/", place); }

std::string Pack(const std::vector<uint64_t>& builds_on) {
  stored::v1::Foundations foundations;
  for (const uint64_t salt : builds_on) foundations.add_salts(salt);
  return foundations.SerializeAsString();
}

// Of a row that begins with number, stamp, floor, previous, edit, salt, builds_on, withdrawn.
PendingEdit ReadEdit(const Seal& seal, const std::string& place, const Statement& row) {
  stored::v1::Foundations foundations;
  if (!foundations.ParseFromString(row.Bytes(6))) sqlite::ThrowDamage(place);
  PendingEdit edit;
  edit.number = row.Number<EditNumber>(0);
  edit.stamp = row.Number<Stamp>(1);
  edit.floor = row.Number<Stamp>(2);
  edit.previous = row.Unsigned(3);
  edit.edit = row.Opened(4, seal, place);
  edit.salt = row.Unsigned(5);
  edit.builds_on.assign(foundations.salts().begin(), foundations.salts().end());
  edit.withdrawn = row.Int(7) != 0;
  return edit;
}
PendingEdit ReadPending(const Seal& seal, const Statement& row) {
  return ReadEdit(seal, PlaceOfPending(row.Number<EditNumber>(0)), row);
}

}  // namespace

void Tables::AddPending(const PendingEdit& edit) {
  const std::string sealed = seal_.Close(PlaceOfPending(edit.number), edit.edit);
  const std::string builds_on = Pack(edit.builds_on);
  Statement(connection_,
            "INSERT OR REPLACE INTO pending"
            " (number, stamp, floor, previous, edit, salt, builds_on, withdrawn)"
            " VALUES (?,?,?,?,?,?,?,?)",
            edit.number, edit.stamp, edit.floor, edit.previous, sealed, edit.salt, builds_on,
            edit.withdrawn)
      .Run();
}

void Tables::DeletePending(EditNumber number) {
  Statement(connection_, "DELETE FROM pending WHERE number=?", number).Run();
}

void Tables::ListPending(EditNumber after, absl::FunctionRef<bool(const PendingEdit&)> visit) {
  Statement row(
      connection_,
      "SELECT number, stamp, floor, previous, edit, salt, builds_on, withdrawn FROM pending"
      " WHERE number>? ORDER BY number",
      after);
  while (row.Step()) {
    if (!visit(ReadPending(seal_, row))) break;
  }
}

std::optional<PendingEdit> Tables::GetPending(EditNumber number) {
  std::optional<PendingEdit> found;
  ListPending(EditNumber(number.value - 1), [&](const PendingEdit& edit) {
    if (edit.number == number) found = edit;
    return false;
  });
  return found;
}

std::optional<PendingEdit> Tables::LastPending() {
  Statement row(
      connection_,
      "SELECT number, stamp, floor, previous, edit, salt, builds_on, withdrawn FROM pending"
      " ORDER BY number DESC LIMIT 1");
  if (!row.Step()) return std::nullopt;
  return ReadPending(seal_, row);
}

std::optional<EditNumber> Tables::NumberOf(DeviceNumber device, uint64_t salt) {
  Statement row(connection_,
                "SELECT number FROM pending WHERE salt=?1"
                " UNION ALL SELECT number FROM kept WHERE salt=?1 AND device=?2"
                " UNION ALL SELECT number FROM set_aside WHERE salt=?1 AND device=?2 LIMIT 1",
                salt, device);
  if (!row.Step()) return std::nullopt;
  return row.Number<EditNumber>(0);
}

uint64_t Tables::CountPending() {
  Statement row(connection_, "SELECT count(*) FROM pending");
  row.Step();
  return row.Unsigned(0);
}

void Tables::Keep(DeviceNumber device, const PendingEdit& edit) {
  const std::string sealed = seal_.Close(PlaceOfKept(device, edit.number), edit.edit);
  const std::string builds_on = Pack(edit.builds_on);
  Statement(connection_,
            "INSERT INTO kept"
            " (number, stamp, floor, previous, edit, salt, builds_on, withdrawn, device)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            edit.number, edit.stamp, edit.floor, edit.previous, sealed, edit.salt, builds_on,
            edit.withdrawn, device)
      .Run();
}

std::vector<std::pair<DeviceNumber, PendingEdit>> Tables::ListKept() {
  Statement row(
      connection_,
      "SELECT number, stamp, floor, previous, edit, salt, builds_on, withdrawn, device"
      " FROM kept JOIN (SELECT device AS d, min(place) AS first FROM kept GROUP BY device)"
      " ON d=device ORDER BY first, number");
  std::vector<std::pair<DeviceNumber, PendingEdit>> kept;
  while (row.Step()) {
    const DeviceNumber device = row.Number<DeviceNumber>(8);
    kept.emplace_back(device, ReadEdit(seal_, PlaceOfKept(device, row.Number<EditNumber>(0)), row));
  }
  return kept;
}

void Tables::Withdraw(uint64_t salt) {
  Statement(connection_, "UPDATE kept SET withdrawn=1 WHERE salt=?", salt).Run();
}

void Tables::DropKept(DeviceNumber device, EditNumber up_to) {
  Statement(connection_, "DELETE FROM kept WHERE device<>? OR number<=?", device, up_to).Run();
}

void Tables::AddSetAside(const SetAside& set_aside) {
  // The place, which the blobs are sealed under, is known once the row is there.
  const int64_t place = [&] {
    Statement row(connection_,
                  "INSERT INTO set_aside (at_ms, answer, edit, device, number, salt)"
                  " VALUES (?,x'',x'',?,?,?) RETURNING place",
                  set_aside.at_ms, set_aside.device, set_aside.answer.number(),
                  set_aside.edit.salt());
    row.Step();
    return row.Int(0);
  }();
  const std::string answer =
      seal_.Close(PlaceOfAnswer(place), set_aside.answer.SerializeAsString());
  const std::string edit = seal_.Close(PlaceOfSetAside(place), set_aside.edit.SerializeAsString());
  Statement(connection_, "UPDATE set_aside SET answer=?, edit=? WHERE place=?", answer, edit, place)
      .Run();
}

void Tables::ListSetAside(absl::FunctionRef<void(const SetAside&)> visit) {
  Statement row(connection_,
                "SELECT place, at_ms, answer, edit, device FROM set_aside ORDER BY place");
  while (row.Step()) {
    SetAside set_aside;
    set_aside.place = row.Int(0);
    set_aside.at_ms = row.Int(1);
    set_aside.answer.ParseFromString(row.Opened(2, seal_, PlaceOfAnswer(set_aside.place)));
    set_aside.edit.ParseFromString(row.Opened(3, seal_, PlaceOfSetAside(set_aside.place)));
    set_aside.device = row.Number<DeviceNumber>(4);
    visit(set_aside);
  }
}

bool Tables::DeleteSetAside(int64_t place) {
  return Statement(connection_, "DELETE FROM set_aside WHERE place=? RETURNING place", place)
      .Step();
}

int64_t Tables::PutSketch(int64_t place, absl::string_view sketch) {
  if (place == 0) {
    Statement row(connection_, "INSERT INTO sketch (sketch) VALUES (x'') RETURNING place");
    row.Step();
    place = row.Int(0);
  }
  const std::string sealed = seal_.Close(PlaceOfSketch(place), sketch);
  Statement row(connection_, "UPDATE sketch SET sketch=? WHERE place=? RETURNING place", sealed,
                place);
  return row.Step() ? place : 0;
}

void Tables::ListSketches(absl::FunctionRef<void(int64_t, const std::string&)> visit) {
  Statement row(connection_, "SELECT place, sketch FROM sketch ORDER BY place");
  while (row.Step()) {
    const int64_t place = row.Int(0);
    visit(place, row.Opened(1, seal_, PlaceOfSketch(place)));
  }
}

bool Tables::DeleteSketch(int64_t place) {
  return Statement(connection_, "DELETE FROM sketch WHERE place=? RETURNING place", place).Step();
}

}  // namespace zhibu::client
