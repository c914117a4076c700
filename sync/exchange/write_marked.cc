#include "sync/exchange/write_marked.h"

#include <xlsxwriter.h>

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sync/exchange/workbook_file.h"
#include "sync/wire/shown.h"

namespace zhibu {
namespace {

constexpr double kSaidWidth = 60;
constexpr size_t kLettersMax = 3;

// What is said of one row.
struct Said {
  std::optional<Mark::Kind> of_row;  // the gravest
  std::map<size_t, Mark::Kind> of_cells;
  std::string words;
};

std::map<uint32_t, Said> ByLine(absl::Span<const Mark> marks) {
  std::map<uint32_t, Said> lines;
  for (const Mark& mark : marks) {
    Said& said = lines[mark.line];
    if (mark.column) {
      said.of_cells[*mark.column] = mark.kind;
      absl::StrAppend(&said.words, said.words.empty() ? "" : "\n", LetterOf(*mark.column), ": ");
    } else {
      said.of_row = std::max(said.of_row.value_or(mark.kind), mark.kind);
      absl::StrAppend(&said.words, said.words.empty() ? "" : "\n");
    }
    absl::StrAppend(&said.words, mark.words);
  }
  return lines;
}

class MarkedWriter {
 public:
  MarkedWriter(const Sheet& sheet, absl::Span<const Mark> marks, lxw_workbook* workbook,
               lxw_worksheet* into)
      : sheet_(sheet), lines_(ByLine(marks)), workbook_(workbook), into_(*into) {
    for (const SheetRow& row : sheet_.rows) columns_ = std::max(columns_, row.cells.size());
  }

  // LXW_NO_ERROR, or the first error.
  lxw_error Write(absl::string_view heading) {
    plain_ = Coloured(std::nullopt);
    for (const Mark::Kind kind :
         {Mark::Kind::kDoubtful, Mark::Kind::kRefused, Mark::Kind::kNotRead}) {
      colours_[kind] = Coloured(kind);
    }
    const auto said = static_cast<lxw_col_t>(columns_);
    Tell(worksheet_set_column(&into_, said, said, kSaidWidth, nullptr));
    if (lines_.count(1) == 0) Put(0, columns_, heading, plain_);
    for (const SheetRow& row : sheet_.rows) PutRow(row);
    return error_;
  }

 private:
  lxw_format* Coloured(std::optional<Mark::Kind> kind) {
    lxw_format* format = workbook_add_format(workbook_);
    format_set_num_format(format, "@");
    format_set_text_wrap(format);
    format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
    if (kind == Mark::Kind::kDoubtful) format_set_bg_color(format, 0xFFEB9C);
    if (kind == Mark::Kind::kRefused) format_set_bg_color(format, 0xFFC7CE);
    if (kind == Mark::Kind::kNotRead) format_set_bg_color(format, 0xE0E0E0);
    return format;
  }

  void Tell(lxw_error error) {
    if (error_ == LXW_NO_ERROR) error_ = error;
  }
  void Put(lxw_row_t row, size_t column, absl::string_view text, lxw_format* format) {
    Tell(worksheet_write_string(&into_, row, static_cast<lxw_col_t>(column), CellText(text).c_str(),
                                format));
  }

  void PutRow(const SheetRow& row) {
    const lxw_row_t at = row.line - 1;
    const auto found = lines_.find(row.line);
    const Said none;
    const Said& said = found == lines_.end() ? none : found->second;
    for (size_t i = 0; i < columns_; ++i) {
      const auto cell = said.of_cells.find(i);
      lxw_format* format = cell != said.of_cells.end() ? colours_[cell->second]
                           : said.of_row               ? colours_[*said.of_row]
                                                       : plain_;
      const absl::string_view text = i < row.cells.size() ? row.cells[i] : absl::string_view();
      if (!text.empty() || format != plain_) Put(at, i, text, format);
    }
    if (!said.words.empty()) Put(at, columns_, said.words, plain_);
  }

  const Sheet& sheet_;
  const std::map<uint32_t, Said> lines_;
  lxw_workbook* const workbook_;
  lxw_worksheet& into_;
  size_t columns_ = 0;  // of the widest row
  lxw_format* plain_ = nullptr;
  std::map<Mark::Kind, lxw_format*> colours_;
  lxw_error error_ = LXW_NO_ERROR;
};

}  // namespace

std::optional<size_t> ColumnOf(absl::string_view letter) {
  size_t column = 0;
  for (const char c : letter) {
    if (!absl::ascii_isupper(static_cast<unsigned char>(c))) return std::nullopt;
    column = column * 26 + static_cast<size_t>(c - 'A') + 1;
  }
  if (letter.empty() || letter.size() > kLettersMax) return std::nullopt;
  return column - 1;
}

absl::Status WriteMarked(const Sheet& sheet, absl::Span<const Mark> marks, Language language,
                         const NewFile& file) {
  return WriteSheets(file, [&](lxw_workbook* workbook) {
    lxw_worksheet* into =
        workbook_add_worksheet(workbook, In(language, Say("核对", "to look at")).c_str());
    if (into == nullptr) return LXW_ERROR_MEMORY_MALLOC_FAILED;
    return MarkedWriter(sheet, marks, workbook, into)
        .Write(In(language, Say("核对说明", "What to look at")));
  });
}

}  // namespace zhibu
