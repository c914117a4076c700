#include "sync/exchange/workbook.h"

#include <zip.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/exchange/number_format.h"
#include "sync/exchange/text.h"
#include "sync/exchange/xml.h"

namespace zhibu {
namespace {

struct CloseArchive {
  void operator()(zip* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip, CloseArchive>;

constexpr size_t kMergesMax = 100'000;
constexpr size_t kSheetsMax = 1000;
constexpr size_t kTextsBytesMax = size_t{128} << 20;
// Of one cell: a spreadsheet takes 32,767 characters.
constexpr size_t kCellBytesMax = 131'068;

// xl/workbook.xml: its sheets, and from when on days are counted.
class BookHandler : public XmlHandler {
 public:
  struct SheetEntry {
    std::string name;
    std::string relation;
    bool hidden = false;
  };

  void OnStart(absl::string_view name, const XmlAttributes& attributes) override {
    if (name == "workbookPr") {
      const absl::string_view from = attributes.Get("date1904");
      days_from_1904 = from == "1" || from == "true";
    } else if (name == "sheet") {
      if (sheets.size() == kSheetsMax) {
        status_ = absl::ResourceExhaustedError("sheets");
        return;
      }
      const absl::string_view state = attributes.Get("state");
      sheets.push_back({std::string(attributes.Get("name")), std::string(attributes.Get("id")),
                        state == "hidden" || state == "veryHidden"});
    }
  }
  void OnText(absl::string_view) override {}
  void OnEnd(absl::string_view) override {}

  std::vector<SheetEntry> sheets;
  bool days_from_1904 = false;
};

// xl/_rels/workbook.xml.rels: which entry a sheet lies in.
class RelationsHandler : public XmlHandler {
 public:
  void OnStart(absl::string_view name, const XmlAttributes& attributes) override {
    if (name != "Relationship") return;
    if (targets.size() == 2 * kSheetsMax) {
      status_ = absl::ResourceExhaustedError("relations");
      return;
    }
    std::string target(attributes.Get("Target"));
    target = absl::StartsWith(target, "/") ? target.substr(1) : absl::StrCat("xl/", target);
    if (absl::EndsWith(attributes.Get("Type"), "/sharedStrings")) texts = target;
    if (absl::EndsWith(attributes.Get("Type"), "/styles")) styles = target;
    targets.emplace(attributes.Get("Id"), std::move(target));
  }
  void OnText(absl::string_view) override {}
  void OnEnd(absl::string_view) override {}

  absl::flat_hash_map<std::string, std::string> targets;
  std::string texts;
  std::string styles;
};

// The words of <si> and <is>, without the readings (rPh) that stand above them.
class RichText {
 public:
  void OnStart(absl::string_view name) {
    if (name == "rPh") ++readings_;
    if (name == "t") in_text_ = true;
  }
  void OnText(absl::string_view text) {
    if (in_text_ && readings_ == 0 && words_.size() < kCellBytesMax) {
      words_.append(text.data(), text.size());
    }
  }
  void OnEnd(absl::string_view name) {
    if (name == "rPh") --readings_;
    if (name == "t") in_text_ = false;
  }
  std::string Take() { return std::exchange(words_, ""); }

 private:
  std::string words_;
  int readings_ = 0;
  bool in_text_ = false;
};

// xl/sharedStrings.xml.
class TextsHandler : public XmlHandler {
 public:
  void OnStart(absl::string_view name, const XmlAttributes&) override { text_.OnStart(name); }
  void OnText(absl::string_view text) override { text_.OnText(text); }
  void OnEnd(absl::string_view name) override {
    text_.OnEnd(name);
    if (name != "si") return;
    texts.push_back(text_.Take());
    bytes_ += texts.back().size() + sizeof(std::string);
    if (bytes_ > kTextsBytesMax) status_ = absl::ResourceExhaustedError("texts");
  }

  std::vector<std::string> texts;

 private:
  RichText text_;
  size_t bytes_ = 0;
};

// xl/styles.xml: how each style shows a number.
class StylesHandler : public XmlHandler {
 public:
  void OnStart(absl::string_view name, const XmlAttributes& attributes) override {
    if (name == "cellXfs") in_cells_ = true;
    int number = 0;
    if (!absl::SimpleAtoi(attributes.Get("numFmtId"), &number)) return;
    if (name == "numFmt") {
      codes_[number] = ShownByCode(attributes.Get("formatCode"));
    } else if (name == "xf" && in_cells_) {
      const auto code = codes_.find(number);
      shown.push_back(code != codes_.end() ? code->second : ShownByNumber(number));
    }
  }
  void OnText(absl::string_view) override {}
  void OnEnd(absl::string_view name) override {
    if (name == "cellXfs") in_cells_ = false;
  }

  std::vector<Shown> shown;

 private:
  absl::flat_hash_map<int, Shown> codes_;
  bool in_cells_ = false;
};

struct Place {
  size_t column = 0;  // the first is 0
  uint32_t line = 0;  // the first is 1
};

// "AB12"; the line may be lacking, or the whole.
Place PlaceFrom(absl::string_view reference) {
  Place place;
  size_t column = 0;
  while (!reference.empty() && absl::ascii_isalpha(reference[0]) && column < 100'000) {
    column = column * 26 + (absl::ascii_toupper(reference[0]) - 'A' + 1);
    reference.remove_prefix(1);
  }
  place.column = column == 0 ? 0 : column - 1;
  if (!absl::SimpleAtoi(reference, &place.line)) place.line = 0;
  return place;
}

// What may still be read of a workbook.
struct Left {
  size_t cells;
  size_t text_bytes;
};

// xl/worksheets/sheet1.xml.
class SheetHandler : public XmlHandler {
 public:
  SheetHandler(const std::vector<std::string>& texts, const std::vector<Shown>& shown,
               const SheetLimits& limits, Left* left, Sheet* sheet)
      : texts_(texts), shown_(shown), limits_(limits), left_(*left), sheet_(*sheet) {}

  void OnStart(absl::string_view name, const XmlAttributes& attributes) override {
    if (name == "row") {
      StartRow(attributes.Get("r"));
    } else if (name == "c") {
      StartCell(attributes);
    } else if (name == "v") {
      in_value_ = true;
    } else if (name == "mergeCell") {
      AddMerge(attributes.Get("ref"));
    } else {
      text_.OnStart(name);
    }
  }
  void OnText(absl::string_view text) override {
    if (in_value_ && value_.size() < kCellBytesMax) value_.append(text.data(), text.size());
    text_.OnText(text);
  }
  void OnEnd(absl::string_view name) override {
    if (name == "v") {
      in_value_ = false;
    } else if (name == "c") {
      EndCell();
    } else if (name == "row") {
      EndRow();
    } else {
      text_.OnEnd(name);
    }
  }

  // Each merged cell gets the value of the first: once all rows are known.
  absl::Status SpreadMerges() {
    for (const auto& [from, to] : merges_) {
      const auto first = RowFrom(from.line);
      if (first == sheet_.rows.end() || first->line != from.line) continue;
      if (from.column >= first->cells.size()) continue;
      const std::string value = first->cells[from.column];
      if (Trim(value).empty()) continue;
      for (auto row = first; row != sheet_.rows.end() && row->line <= to.line; ++row) {
        RETURN_IF_ERROR(Spread(value, from.column, to.column, &row->cells));
      }
    }
    return absl::OkStatus();
  }

 private:
  void StartRow(absl::string_view number) {
    uint32_t line = 0;
    row_ = SheetRow();
    row_.line = absl::SimpleAtoi(number, &line) ? line : last_line_ + 1;
    next_column_ = 0;
    if (row_.line <= last_line_) status_ = absl::InvalidArgumentError("rows are out of order");
    last_line_ = row_.line;
  }

  void StartCell(const XmlAttributes& attributes) {
    const absl::string_view reference = attributes.Get("r");
    column_ = reference.empty() ? next_column_ : PlaceFrom(reference).column;
    next_column_ = column_ + 1;
    type_ = std::string(attributes.Get("t"));
    size_t style = 0;
    style_ = absl::SimpleAtoi(attributes.Get("s"), &style) && style < shown_.size()
                 ? shown_[style]
                 : Shown::kNumber;
    value_.clear();
    text_.Take();
  }

  void EndCell() {
    std::string text = TextOfCell();
    if (text.empty() || column_ >= limits_.columns_max) return;
    if (!Widen(column_, &row_.cells) || !Take(text.size(), &left_.text_bytes)) return;
    row_.cells[column_] = std::move(text);
  }

  std::string TextOfCell() {
    if (type_ == "inlineStr") return text_.Take();
    if (type_ == "s") {
      size_t index = 0;
      return absl::SimpleAtoi(value_, &index) && index < texts_.size() ? texts_[index] : "";
    }
    if (type_ == "str" || type_ == "e" || type_ == "b") return value_;
    if (type_ == "d") return value_;  // a day in words: 2008-07-01T00:00:00
    double number = 0;
    if (!absl::SimpleAtod(value_, &number)) return "";
    std::string day;
    if (style_ != Shown::kNumber) day = DayOfNumber(number, style_, sheet_.days_from_1904);
    return day.empty() ? TextOfNumber(number) : day;
  }

  void EndRow() {
    if (IsBlank(row_)) return;
    if (sheet_.rows.size() == limits_.rows_max) {
      status_ = TooManyRows(limits_);
      return;
    }
    sheet_.rows.push_back(std::move(row_));
  }

  void AddMerge(absl::string_view reference) {
    const size_t colon = reference.find(':');
    if (colon == absl::string_view::npos) return;
    if (merges_.size() == kMergesMax) {
      status_ = absl::ResourceExhaustedError("merges");
      return;
    }
    const Place from = PlaceFrom(reference.substr(0, colon));
    const Place to = PlaceFrom(reference.substr(colon + 1));
    if (from.line == 0 || to.line < from.line || to.column < from.column) return;
    merges_.push_back({from, {std::min(to.column, limits_.columns_max - 1), to.line}});
  }

  std::vector<SheetRow>::iterator RowFrom(uint32_t line) {
    return std::lower_bound(sheet_.rows.begin(), sheet_.rows.end(), line,
                            [](const SheetRow& row, uint32_t at) { return row.line < at; });
  }

  absl::Status Spread(const std::string& value, size_t from, size_t to,
                      std::vector<std::string>* cells) {
    const size_t count = to - from + 1;
    if (!Take(count, &left_.cells) || !Take(count * value.size(), &left_.text_bytes) ||
        !Widen(to, cells)) {
      return status_;
    }
    for (size_t column = from; column <= to; ++column) (*cells)[column] = value;
    return absl::OkStatus();
  }

  // So that the row has that column; empty cells before it take room as well.
  bool Widen(size_t column, std::vector<std::string>* cells) {
    if (cells->size() > column) return true;
    if (!Take(column + 1 - cells->size(), &left_.cells)) return false;
    cells->resize(column + 1);
    return true;
  }

  bool Take(size_t count, size_t* left) {
    if (count > *left) {
      status_ = absl::ResourceExhaustedError("cells");
      return false;
    }
    *left -= count;
    return true;
  }

  const std::vector<std::string>& texts_;
  const std::vector<Shown>& shown_;
  const SheetLimits& limits_;
  Left& left_;
  Sheet& sheet_;

  SheetRow row_;
  uint32_t last_line_ = 0;
  size_t next_column_ = 0;
  size_t column_ = 0;
  std::string type_;
  Shown style_ = Shown::kNumber;
  std::string value_;
  bool in_value_ = false;
  RichText text_;
  std::vector<std::pair<Place, Place>> merges_;
};

absl::Status InWordsOfAll(const absl::Status& status) {
  if (status.ok() || HasWords(status)) return status;
  if (absl::IsResourceExhausted(status)) {
    return Unusable("这个工作簿解压后太大，没有导入任何内容。请分成几个文件",
                    "the workbook is too large once it is unpacked, and nothing was imported; "
                    "divide it into several");
  }
  return Unusable(
      "文件不是可读的 XLSX 工作簿（也许已损坏或加了密码），没有导入任何内容。请重新另存为 .xlsx "
      "后再试",
      "the file is no workbook that can be read (it may be damaged or have a password), and "
      "nothing was imported; save it as .xlsx again");
}

absl::StatusOr<Archive> OpenArchive(absl::string_view bytes) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  Archive archive(source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error));
  if (archive == nullptr && source != nullptr) zip_source_free(source);
  zip_error_fini(&error);
  if (archive == nullptr) return absl::InvalidArgumentError("no archive");
  return archive;
}

absl::StatusOr<std::vector<Sheet>> ReadSheets(absl::string_view bytes, const SheetLimits& limits) {
  ASSIGN_OR_RETURN(const Archive archive, OpenArchive(bytes));
  size_t budget = limits.unpacked_bytes_max;
  const auto read = [&](const std::string& entry, XmlHandler* handler) {
    return ReadXml(archive.get(), entry, &budget, handler);
  };
  BookHandler book;
  RETURN_IF_ERROR(read("xl/workbook.xml", &book));
  RelationsHandler relations;
  RETURN_IF_ERROR(read("xl/_rels/workbook.xml.rels", &relations));
  TextsHandler texts;
  if (!relations.texts.empty()) RETURN_IF_ERROR(read(relations.texts, &texts));
  StylesHandler styles;
  if (!relations.styles.empty()) RETURN_IF_ERROR(read(relations.styles, &styles));

  std::vector<Sheet> sheets;
  Left left{limits.cells_max, limits.text_bytes_max};
  for (const BookHandler::SheetEntry& entry : book.sheets) {
    const auto target = relations.targets.find(entry.relation);
    if (entry.hidden || target == relations.targets.end()) continue;
    Sheet sheet;
    sheet.read_as = Say(absl::StrCat("XLSX，工作表“", Excerpt(entry.name), "”"),
                        absl::StrCat("XLSX, sheet \"", Excerpt(entry.name), "\""));
    sheet.days_from_1904 = book.days_from_1904;
    SheetHandler handler(texts.texts, styles.shown, limits, &left, &sheet);
    RETURN_IF_ERROR(read(target->second, &handler));
    RETURN_IF_ERROR(handler.SpreadMerges());
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

}  // namespace

bool IsPacked(absl::string_view bytes) { return absl::StartsWith(bytes, "PK\x03\x04"); }

absl::StatusOr<std::vector<Sheet>> ReadWorkbook(absl::string_view bytes,
                                                const SheetLimits& limits) {
  absl::StatusOr<std::vector<Sheet>> sheets = ReadSheets(bytes, limits);
  if (!sheets.ok()) return InWordsOfAll(sheets.status());
  return sheets;
}

}  // namespace zhibu
