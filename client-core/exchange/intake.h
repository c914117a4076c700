// A sheet of an office becomes records: what a ledger of the rule book says of its columns, read
// the other way round.
//
//   ASSIGN_OR_RETURN(const Intake taken,
//                    TakeIn(*store, {.ledger = ledger, .organisation = branch, .check = true},
//                    bytes));
//   for (const IntakeRow& row : taken.rows) …     // line by line, what it makes or why it does not
//
// For each row:
//
//   made      nothing like it is recorded
//   filled    it is recorded, and the sheet says what nobody had written down
//   same      it is recorded, all of it: so a sheet that is read twice makes nothing twice
//   asked     it is recorded, and says something else: what stands is kept, and whoever looks at
//             both takes the sheet's by the number of its line (`take`)
//   wrong     nobody can tell what it means, or a rule of the book refuses it
//   left out  a sum, a signature, the header again
//
// One bad cell costs the cell, not the row, where the row can do without it. A record is written
// whole or not at all, as an edit of the device's owner, under every rule, as any other edit.
// Where `check` is set nothing is written, and all else is as though it were.
#ifndef ZHIBU_CLIENT_CORE_EXCHANGE_INTAKE_H_
#define ZHIBU_CLIENT_CORE_EXCHANGE_INTAKE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client-core/exchange/columns.h"
#include "client-core/store/store.h"
#include "sync/exchange/sheet.h"
#include "sync/rules/book/ledger.h"

namespace zhibu::client {

struct IntakeAsked {
  const rules::Ledger* ledger = nullptr;  // one that is read
  Id organisation;
  std::optional<int64_t> year;  // of months that say none
  std::set<uint32_t> take;      // lines whose values are taken over what stands
  // Of what was done on paper and is not as the rules have it: why (irregular_because).
  std::string because;
  bool check = false;
};

// A cell that costs nothing but itself, or the reason why the row does not go in.
struct IntakeNote {
  std::string letter;  // of its column; empty: no cell says it
  std::string heading;
  Words words;
};

struct IntakeRow {
  enum class Fate { kMade, kFilled, kSame, kAsked, kWrong, kLeftOut };
  uint32_t line = 0;
  Fate fate = Fate::kWrong;
  std::string says;  // "王；2026-03；15.00", no number of more than eight digits
  std::vector<IntakeNote> notes;
};

struct Intake {
  Words read_as;  // "XLSX，工作表“党费台账”，表头在第 2 行"
  std::vector<UnreadColumn> unread;
  std::vector<IntakeRow> rows;

  size_t Count(IntakeRow::Fate fate) const;
};

// The sheet of the file that TakeIn reads. Errors: those of the file.
absl::StatusOr<Sheet> SheetFor(const rules::Ledger& ledger, absl::string_view bytes);

// INVALID_ARGUMENT, in words: the file is none that can be read, or lacks a column without which
// no row means anything. Errors of the store.
absl::StatusOr<Intake> TakeIn(Store& store, const IntakeAsked& asked, absl::string_view bytes);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_EXCHANGE_INTAKE_H_
