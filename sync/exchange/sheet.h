// Rows of cells, before anybody knows what they mean; what CSV, text and workbooks become.
#ifndef ZHIBU_SYNC_EXCHANGE_SHEET_H_
#define ZHIBU_SYNC_EXCHANGE_SHEET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/base/words.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu {

struct SheetRow {
  uint32_t line = 0;  // where it starts, the first is 1: a quoted cell of CSV may take several
  std::vector<std::string> cells;
  bool broken = false;  // a quotation mark without its partner: the cells mean nothing
};

struct Sheet {
  Words read_as;               // "XLSX，工作表“花名册”"
  std::vector<SheetRow> rows;  // ascending by line; none of them blank
  // Numbers that stand for days count from 1904, as a workbook may say.
  bool days_from_1904 = false;
};

struct SheetLimits {
  size_t bytes_max = size_t{64} << 20;
  size_t rows_max = 1'000'000;
  // Of a workbook, unpacked: a small file may pack a large one.
  size_t unpacked_bytes_max = size_t{512} << 20;
  size_t cells_max = 8'000'000;
  size_t text_bytes_max = size_t{64} << 20;  // in all its cells
  size_t columns_max = 256;
};

// Nothing that anybody would see is in any of its cells.
bool IsBlank(const SheetRow& row);

// As spreadsheets count columns: 0 is "A", 26 "AA".
std::string LetterOf(size_t column);

Words Say(absl::string_view zh, absl::string_view en);

// INVALID_ARGUMENT that carries its words.
absl::Status Unusable(absl::string_view zh, absl::string_view en);
bool HasWords(const absl::Status& status);
// What to tell people of a status that a reader of files gave; its message is the English wording.
Words WordsOf(const absl::Status& status);
// In the language of whoever asks, where it carries its words; else as it is.
absl::Status InWords(const absl::Status& status, Language language);
absl::Status TooManyRows(const SheetLimits& limits);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_SHEET_H_
