// What a column's value is in a cell: numbers stay numbers, days days, and what is code or an id
// becomes words.
#ifndef ZHIBU_SYNC_RULES_BOOK_LEDGER_CELLS_H_
#define ZHIBU_SYNC_RULES_BOOK_LEDGER_CELLS_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "sync/base/words.h"
#include "sync/rules/book/ledger_table.h"
#include "sync/rules/cel/value.h"

namespace zhibu::rules {

// `name_of` gives text, or is unknown. Of an error: unknown.
Cell CellOf(const LedgerColumn& column, const cel::Value& value, Language language,
            absl::FunctionRef<cel::Value(absl::string_view id)> name_of);

// What stands at the end of a column that is summed. What is not known adds nothing.
Cell SumOf(const std::vector<std::vector<Cell>>& rows, size_t column);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_LEDGER_CELLS_H_
