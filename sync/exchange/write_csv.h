// A ledger as text: UTF-8 with a byte order mark, as spreadsheets want it, or lined up on a
// screen.
//
// What a spreadsheet would take for a formula (= + - @, a tab or a carriage return in front) and
// long numbers, of which it would make the last digits 0, have an apostrophe before them, which
// those who read such files take away again (values.h).
#ifndef ZHIBU_SYNC_EXCHANGE_WRITE_CSV_H_
#define ZHIBU_SYNC_EXCHANGE_WRITE_CSV_H_

#include <string>

#include "sync/rules/book/ledger_table.h"

namespace zhibu {

std::string CsvOf(const rules::LedgerTable& table);

// In columns, whatever their script: a Chinese character is as wide as two digits.
std::string TextOf(const rules::LedgerTable& table);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_WRITE_CSV_H_
