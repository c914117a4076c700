#include "sync/exchange/sheet.h"

#include <algorithm>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "sync/exchange/text.h"
#include "sync/wire/shown.h"

namespace zhibu {
namespace {

constexpr char kWordsUrl[] = "zhibu/words";

}  // namespace

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

bool HasWords(const absl::Status& status) { return status.GetPayload(kWordsUrl).has_value(); }

Words WordsOf(const absl::Status& status) {
  Words words;
  const auto payload = status.GetPayload(kWordsUrl);
  if (payload && words.ParseFromString(std::string(*payload))) return words;
  const std::string message(status.message());
  return Say(message, message);
}

absl::Status TooManyRows(const SheetLimits& limits) {
  return Unusable(
      absl::StrCat("文件超过 ", limits.rows_max, " 行，没有导入任何内容。请分成几个文件"),
      absl::StrCat("the file has more than ", limits.rows_max,
                   " rows, and nothing was imported; divide it into several"));
}

absl::Status InWords(const absl::Status& status, Language language) {
  return HasWords(status) ? absl::InvalidArgumentError(In(language, WordsOf(status))) : status;
}

}  // namespace zhibu
