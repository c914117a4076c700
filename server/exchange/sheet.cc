#include "server/exchange/sheet.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "server/exchange/text.h"

namespace zhibu::server {

bool IsBlank(const SheetRow& row) {
  return !row.broken && std::all_of(row.cells.begin(), row.cells.end(),
                                    [](const std::string& cell) { return Trim(cell).empty(); });
}

std::string LetterOf(size_t column) {
  std::string letters;
  for (++column; column > 0; column = (column - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (column - 1) % 26));
  }
  return letters;
}

Words Say(absl::string_view zh, absl::string_view en) {
  Words words;
  words.set_zh(std::string(zh));
  words.set_en(std::string(en));
  return words;
}

absl::Status Unusable(absl::string_view zh, absl::string_view en) {
  absl::Status status = absl::InvalidArgumentError(en);
  status.SetPayload(kWordsUrl, absl::Cord(Say(zh, en).SerializeAsString()));
  return status;
}

absl::Status TooManyRows(const SheetLimits& limits) {
  return Unusable(
      absl::StrCat("文件超过 ", limits.rows_max, " 行，没有导入任何内容。请分成几个文件"),
      absl::StrCat("the file has more than ", limits.rows_max,
                   " rows, and nothing was imported; divide it into several"));
}

}  // namespace zhibu::server
