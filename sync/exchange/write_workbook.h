// Ledgers as a workbook (XLSX), a sheet each: a title, the heads, frozen and repeated on each page,
// the rows, what is summed, what is not known, and who signs. A4, as wide as a page.
//
// Days and times are days and times, numbers numbers; whatever else is text, a code, an identity
// number or "=1+1" as well: a text cell is never reckoned.
#ifndef ZHIBU_SYNC_EXCHANGE_WRITE_WORKBOOK_H_
#define ZHIBU_SYNC_EXCHANGE_WRITE_WORKBOOK_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sync/exchange/new_file.h"
#include "sync/rules/book/ledger_table.h"

namespace zhibu {

// INVALID_ARGUMENT, in words: it could not be written.
absl::Status WriteWorkbook(absl::Span<const rules::LedgerTable> tables, const NewFile& file);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_WRITE_WORKBOOK_H_
