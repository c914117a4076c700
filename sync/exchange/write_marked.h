// A sheet as it was read, as a workbook in which what wants looking at is marked: whoever filled
// it in mends it there. Each row stands at the number of its line, coloured, and what is said of
// it stands behind its last cell.
//
//   cell is doubtful      the cell is yellow
//   row did not go in     it is red
//   row was not read      it is grey
//
// Every cell is text, as in write_workbook.h, and none is reckoned.
#ifndef ZHIBU_SYNC_EXCHANGE_WRITE_MARKED_H_
#define ZHIBU_SYNC_EXCHANGE_WRITE_MARKED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "sync/base/words.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/sheet.h"

namespace zhibu {

struct Mark {
  enum class Kind { kNotRead, kDoubtful, kRefused };  // the gravest last
  Kind kind = Kind::kDoubtful;
  uint32_t line = 0;
  std::optional<size_t> column;  // the first is 0; none: the row
  std::string words;
};

// The column of a cell by its letter, as LetterOf gives it; nothing: there is none such.
std::optional<size_t> ColumnOf(absl::string_view letter);

// INVALID_ARGUMENT, in words: it could not be written.
absl::Status WriteMarked(const Sheet& sheet, absl::Span<const Mark> marks, Language language,
                         const NewFile& file);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_WRITE_MARKED_H_
