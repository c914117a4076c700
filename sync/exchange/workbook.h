// The sheets of a workbook (XLSX), as people see them in a spreadsheet program:
//
//   merged cells     each of them has the value that is shown once for all
//   days             what is formatted as a day is text, 2008-07-01; where only its month is
//                    shown, 2008-07; with a time of the day, 2008-07-01 09:30
//   numbers          as they were typed; those of which a spreadsheet keeps 15 digits and makes
//                    the rest 0 are 3.30102198503120E+17, so that nobody takes them for whole
//   rich text        its words; without the readings that stand above them
//
// Hidden sheets are left out, hidden rows and columns are not: whoever hid them wanted them there.
// Formulas have the value that was last reckoned.
//
// Nothing in a file is believed: how much it unpacks to, rows, columns, cells and merges are
// bounded, and a file that defines entities is refused.
#ifndef ZHIBU_SYNC_EXCHANGE_WORKBOOK_H_
#define ZHIBU_SYNC_EXCHANGE_WORKBOOK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/exchange/sheet.h"

namespace zhibu {

// Is it what workbooks are packed into?
bool IsPacked(absl::string_view bytes);

// INVALID_ARGUMENT, in words: it is none, is damaged, or goes beyond a limit.
absl::StatusOr<std::vector<Sheet>> ReadWorkbook(absl::string_view bytes, const SheetLimits& limits);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_WORKBOOK_H_
