#include "sync/exchange/open.h"

#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/exchange/csv.h"
#include "sync/exchange/text.h"
#include "sync/exchange/workbook.h"

namespace zhibu {
namespace {

// Of a text, to find its header.
constexpr size_t kHeadRows = 40;

absl::Status NoHeader(bool empty, const absl::Status& no_header) {
  if (!empty) return no_header;
  return Unusable("文件没有表头，没有导入任何内容",
                  "the file has no header line, and nothing was imported");
}

// Of the sheets, the one whose header knows most; of several the first.
absl::StatusOr<OpenedSheet> OpenWorkbook(absl::string_view bytes, const SheetLimits& limits,
                                         FindHeaderIn find, const absl::Status& no_header) {
  ASSIGN_OR_RETURN(std::vector<Sheet> sheets, ReadWorkbook(bytes, limits));
  std::optional<size_t> best;
  std::optional<HeaderPlace> found;
  bool empty = true;
  for (size_t i = 0; i < sheets.size(); ++i) {
    empty = empty && sheets[i].rows.empty();
    const std::optional<HeaderPlace> here = find(sheets[i].rows);
    if (!here || (found && here->known <= found->known)) continue;
    best = i;
    found = here;
  }
  if (!best) return NoHeader(empty, no_header);
  OpenedSheet opened{std::move(sheets[*best]), *found, {}};
  for (size_t i = 0; i < sheets.size(); ++i) {
    if (i != *best && !sheets[i].rows.empty()) opened.others.push_back(sheets[i].read_as);
  }
  return opened;
}

std::vector<SheetRow> FirstRowsOf(absl::string_view text, char separator) {
  std::vector<SheetRow> rows;
  CsvReader reader(text, separator);
  SheetRow row;
  while (rows.size() < kHeadRows && reader.Next(&row)) rows.push_back(std::move(row));
  return rows;
}

absl::Status NoText(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\xD0\xCF\x11\xE0")) {
    return Unusable(
        "文件是旧版 .xls 或加了密码的工作簿，没有导入任何内容。请另存为不加密码的 .xlsx 后再试",
        "the file is an .xls or a workbook with a password, and nothing was imported; save it as "
        ".xlsx without a password");
  }
  return Unusable(
      "文件既不是 XLSX 工作簿，也不是 UTF-8、UTF-16、GB18030 或 Big5 文本，没有导入任何内容。"
      "请在表格软件中另存为 .xlsx 后再试",
      "the file is neither a workbook (XLSX) nor text in UTF-8, UTF-16, GB18030 or Big5, and "
      "nothing was imported; save it as .xlsx in the spreadsheet program");
}

// In the encoding and with the separator in which the header knows most; of several the first.
absl::StatusOr<OpenedSheet> OpenText(absl::string_view bytes, const SheetLimits& limits,
                                     FindHeaderIn find, const absl::Status& no_header) {
  ASSIGN_OR_RETURN(const std::vector<DecodedText> readings, Decode(bytes));
  if (readings.empty()) return NoText(bytes);
  const DecodedText* best = nullptr;
  char separator = ',';
  std::optional<HeaderPlace> found;
  bool empty = false;  // whatever separates
  for (const DecodedText& reading : readings) {
    for (const char by : {',', ';', '\t'}) {
      const std::vector<SheetRow> rows = FirstRowsOf(reading.text, by);
      empty = empty || rows.empty();
      const std::optional<HeaderPlace> here = find(rows);
      if (!here || (found && here->known <= found->known)) continue;
      best = &reading;
      separator = by;
      found = here;
    }
  }
  if (best == nullptr) return NoHeader(empty, no_header);
  OpenedSheet opened{{}, *found, {}};
  opened.sheet.read_as = Say(best->encoding, best->encoding);
  CsvReader reader(best->text, separator);
  SheetRow row;
  const size_t rows_max = limits.rows_max + opened.header.first + opened.header.rows;
  while (reader.Next(&row)) {
    if (opened.sheet.rows.size() == rows_max) return TooManyRows(limits);
    opened.sheet.rows.push_back(std::move(row));
  }
  return opened;
}

}  // namespace

absl::StatusOr<OpenedSheet> OpenSheet(absl::string_view bytes, const SheetLimits& limits,
                                      FindHeaderIn find, const absl::Status& no_header) {
  if (bytes.size() > limits.bytes_max) {
    return Unusable(
        absl::StrCat("文件超过 ", limits.bytes_max, " 字节，没有导入任何内容。请分成几个文件"),
        absl::StrCat("the file has more than ", limits.bytes_max,
                     " bytes, and nothing was imported; divide it into several"));
  }
  return IsPacked(bytes) ? OpenWorkbook(bytes, limits, find, no_header)
                         : OpenText(bytes, limits, find, no_header);
}

}  // namespace zhibu
