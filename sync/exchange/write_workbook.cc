#include "sync/exchange/write_workbook.h"

#include <xlsxwriter.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "sync/base/text.h"
#include "sync/exchange/workbook_file.h"

namespace zhibu {
namespace {

using rules::Cell;
using rules::LedgerTable;

constexpr size_t kSheetNameCharactersMax = 28;  // of 31: a number may follow
constexpr double kWidthMax = 60;
constexpr double kFoldedWidth = 30;  // a longer text takes several lines

// A character of Chinese is as wide as two digits.
double WidthOf(absl::string_view text) {
  double width = 0;
  char32_t character = 0;
  while (!text.empty() && TakeCharacter(&text, &character)) width += character < 0x2E80 ? 1 : 2;
  return width;
}

struct Formats {
  explicit Formats(lxw_workbook* workbook) : workbook_(workbook) {
    title = Make(nullptr, false);
    format_set_bold(title);
    format_set_font_size(title, 16);
    format_set_align(title, LXW_ALIGN_CENTER);
    head = Make(nullptr, true);
    format_set_bold(head);
    format_set_align(head, LXW_ALIGN_CENTER);
    format_set_text_wrap(head);
    text = Make("@", true);
    format_set_text_wrap(text);
    foot = Make(nullptr, false);
    number = Make("General", true);
    yuan = Make("0.00", true);
    hours = Make("0.0#", true);
    percent = Make("0.0%", true);
    day = Make("yyyy-mm-dd", true);
    month = Make("yyyy-mm", true);
    time = Make("yyyy-mm-dd hh:mm", true);
  }

  lxw_format* For(Cell::Kind kind) const {
    switch (kind) {
      case Cell::Kind::kNumber:
        return number;
      case Cell::Kind::kYuan:
        return yuan;
      case Cell::Kind::kHours:
        return hours;
      case Cell::Kind::kPercent:
        return percent;
      case Cell::Kind::kDay:
        return day;
      case Cell::Kind::kMonth:
        return month;
      case Cell::Kind::kTime:
        return time;
      default:
        return text;
    }
  }

  lxw_format* title;
  lxw_format* head;
  lxw_format* text;
  lxw_format* foot;
  lxw_format* number;
  lxw_format* yuan;
  lxw_format* hours;
  lxw_format* percent;
  lxw_format* day;
  lxw_format* month;
  lxw_format* time;

 private:
  lxw_format* Make(const char* shown, bool in_table) const {
    lxw_format* format = workbook_add_format(workbook_);
    if (shown != nullptr) format_set_num_format(format, shown);
    format_set_align(format, LXW_ALIGN_VERTICAL_CENTER);
    if (in_table) format_set_border(format, LXW_BORDER_THIN);
    return format;
  }

  lxw_workbook* const workbook_;
};

// Of each sheet another, without what a spreadsheet does not take in one.
std::string SheetName(absl::string_view wanted, std::set<std::string>* taken) {
  std::string name = Printable(wanted);
  for (char& c : name) {
    if (absl::string_view("[]:*?/\\'").find(c) != absl::string_view::npos) c = ' ';
  }
  name = Cut(name, kSheetNameCharactersMax);
  std::string free = name;
  for (int i = 2; !taken->insert(free).second; ++i) free = absl::StrCat(name, i);
  return free;
}

class SheetWriter {
 public:
  SheetWriter(const LedgerTable& table, const Formats& formats, lxw_worksheet* sheet)
      : table_(table), formats_(formats), sheet_(*sheet) {}

  // LXW_NO_ERROR, or the first error.
  lxw_error Write() {
    SetUp();
    Tell(worksheet_merge_range(&sheet_, 0, 0, 0, LastColumn(), CellText(table_.title).c_str(),
                               formats_.title));
    for (size_t i = 0; i < table_.heads.size(); ++i) {
      PutText(1, Column(i), table_.heads[i], formats_.head);
    }
    row_ = 2;
    for (const std::vector<Cell>& row : table_.rows) PutRow(row);
    if (!table_.sums.empty()) PutRow(table_.sums);
    for (const std::string& note : table_.notes) PutText(row_++, 0, note, formats_.foot);
    PutFeet();
    Tell(worksheet_print_area(&sheet_, 0, 0, row_, LastColumn()));
    return error_;
  }

 private:
  static lxw_col_t Column(size_t i) { return static_cast<lxw_col_t>(i); }
  // A title is merged over two columns at least.
  lxw_col_t LastColumn() const { return Column(std::max<size_t>(table_.heads.size(), 2) - 1); }
  void Tell(lxw_error error) {
    if (error_ == LXW_NO_ERROR) error_ = error;
  }

  void SetUp() {
    constexpr uint8_t kA4 = 9;
    constexpr size_t kColumnsUpright = 8;
    worksheet_set_paper(&sheet_, kA4);
    if (table_.heads.size() > kColumnsUpright) worksheet_set_landscape(&sheet_);
    worksheet_fit_to_pages(&sheet_, 1, 0);
    worksheet_repeat_rows(&sheet_, 0, 1);
    worksheet_freeze_panes(&sheet_, 2, 0);
    worksheet_set_footer(&sheet_, "&C&P / &N");
    worksheet_set_row(&sheet_, 0, 28, nullptr);
    for (size_t i = 0; i < table_.heads.size(); ++i) {
      worksheet_set_column(&sheet_, Column(i), Column(i), WidthOfColumn(i), nullptr);
    }
  }

  double WidthOfColumn(size_t i) const {
    const uint32_t said = table_.ledger->columns[i].text.width();
    if (said > 0) return std::min<double>(said, kWidthMax);
    double width = WidthOf(table_.heads[i]);
    for (const std::vector<Cell>& row : table_.rows) {
      width = std::max(width, std::min(WidthOf(row[i].text), kFoldedWidth));
    }
    return width + 2;
  }

  void PutText(lxw_row_t row, lxw_col_t column, absl::string_view text, lxw_format* format) {
    Tell(worksheet_write_string(&sheet_, row, column, CellText(text).c_str(), format));
  }

  void PutRow(const std::vector<Cell>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) Put(Column(i), cells[i]);
    ++row_;
  }

  void Put(lxw_col_t column, const Cell& cell) {
    lxw_format* format = formats_.For(cell.kind);
    switch (cell.kind) {
      case Cell::Kind::kEmpty:
        return Tell(worksheet_write_blank(&sheet_, row_, column, format));
      case Cell::Kind::kNumber:
      case Cell::Kind::kYuan:
      case Cell::Kind::kHours:
      case Cell::Kind::kPercent:
        return Tell(worksheet_write_number(&sheet_, row_, column, cell.number, format));
      case Cell::Kind::kDay:
      case Cell::Kind::kMonth:
      case Cell::Kind::kTime:
        return PutTime(column, cell, format);
      default:
        return PutText(row_, column, cell.text, format);
    }
  }

  // A spreadsheet knows no day before 1900, and none after 9999; those are text.
  void PutTime(lxw_col_t column, const Cell& cell, lxw_format* format) {
    const absl::CivilSecond& at = cell.time;
    if (at.year() < 1901 || at.year() > 9999)
      return PutText(row_, column, cell.text, formats_.text);
    lxw_datetime time = {
        static_cast<int>(at.year()),     at.month(), at.day(), at.hour(), at.minute(),
        static_cast<double>(at.second())};
    Tell(worksheet_write_datetime(&sheet_, row_, column, &time, format));
  }

  // Over the width of the sheet.
  void PutFeet() {
    row_ += 1;
    const size_t columns = std::max(table_.heads.size(), table_.feet.size());
    for (size_t i = 0; i < table_.feet.size(); ++i) {
      PutText(row_, Column(i * columns / table_.feet.size()), table_.feet[i], formats_.foot);
    }
  }

  const LedgerTable& table_;
  const Formats& formats_;
  lxw_worksheet& sheet_;
  lxw_row_t row_ = 0;
  lxw_error error_ = LXW_NO_ERROR;
};

}  // namespace

absl::Status WriteWorkbook(absl::Span<const LedgerTable> tables, const NewFile& file) {
  return WriteSheets(file, [&](lxw_workbook* workbook) {
    const Formats formats(workbook);
    std::set<std::string> names;
    lxw_error error = LXW_NO_ERROR;
    for (const LedgerTable& table : tables) {
      lxw_worksheet* sheet =
          workbook_add_worksheet(workbook, SheetName(table.name, &names).c_str());
      const lxw_error wrong = sheet == nullptr ? LXW_ERROR_MEMORY_MALLOC_FAILED
                                               : SheetWriter(table, formats, sheet).Write();
      if (error == LXW_NO_ERROR) error = wrong;
    }
    return error;
  });
}

}  // namespace zhibu
