// Which column of a sheet is which of a ledger, by the heads that the rule book has for it.
//
//   const auto place = FindLedgerHeader(ledger, rows);
//   const LedgerColumns columns(ledger, rows[place->first]);
//   columns.Cell(row, 3)                // of the ledger's fourth column
#ifndef ZHIBU_CLIENT_CORE_EXCHANGE_COLUMNS_H_
#define ZHIBU_CLIENT_CORE_EXCHANGE_COLUMNS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/exchange/open.h"
#include "sync/exchange/sheet.h"
#include "sync/rules/book/ledger.h"

namespace zhibu::client {

// A column of the sheet that nobody reads.
struct UnreadColumn {
  size_t place = 0;
  std::string heading;
};

class LedgerColumns {
 public:
  LedgerColumns(const rules::Ledger& ledger, const SheetRow& header);

  size_t known() const { return known_; }
  std::optional<size_t> PlaceOf(size_t column) const { return places_[column]; }
  // Trimmed; empty where the row is short or the column missing.
  absl::string_view Cell(const SheetRow& row, size_t column) const;
  // The last digits of somebody's identity number, or all of it: two may have one name.
  absl::string_view NumberIn(const SheetRow& row) const;
  absl::string_view HeadingAt(size_t place) const { return headings_[place]; }
  // Does the row say what the header says, and nothing else?
  bool IsRepeatedBy(const SheetRow& row) const;
  // Those that the ledger does not know; what it knows and does not read is reckoned from the rest.
  std::vector<UnreadColumn> Unread() const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::optional<size_t>> places_;  // by column of the ledger
  std::optional<size_t> number_;
  size_t known_ = 0;
};

// Among the first rows the one that knows most columns, two at least.
std::optional<HeaderPlace> FindLedgerHeader(const rules::Ledger& ledger,
                                            absl::Span<const SheetRow> rows);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_EXCHANGE_COLUMNS_H_
