// The one sheet of a file that is read: of the sheets of a workbook, of the encodings and
// separators in which a text makes sense, the one whose header is known best.
//
//   ASSIGN_OR_RETURN(const OpenedSheet opened, OpenSheet(bytes, {}, find, NoHeader()));
//   opened.sheet.rows[opened.header.first]       // the first row of its header
//
// What a header is, is the caller's to say: titles stand above it, and it may take several rows.
#ifndef ZHIBU_SYNC_EXCHANGE_OPEN_H_
#define ZHIBU_SYNC_EXCHANGE_OPEN_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/exchange/sheet.h"

namespace zhibu {

// Among the rows of a sheet.
struct HeaderPlace {
  size_t first = 0;
  size_t rows = 1;
  size_t known = 0;  // how many of its columns are
};

// Nothing: none of these rows is a header. It looks at the first 40 at most.
using FindHeaderIn = absl::FunctionRef<std::optional<HeaderPlace>(absl::Span<const SheetRow> rows)>;

struct OpenedSheet {
  Sheet sheet;
  HeaderPlace header;
  std::vector<Words> others;  // sheets that are not read
};

// INVALID_ARGUMENT, in words: too big, neither text nor workbook; `no_header` where there are
// rows and none of them is one. INTERNAL where the system's iconv lacks an encoding.
absl::StatusOr<OpenedSheet> OpenSheet(absl::string_view bytes, const SheetLimits& limits,
                                      FindHeaderIn find, const absl::Status& no_header);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_OPEN_H_
