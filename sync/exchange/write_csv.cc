#include "sync/exchange/write_csv.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "sync/base/text.h"

namespace zhibu {
namespace {

using rules::Cell;
using rules::LedgerTable;

// A spreadsheet keeps fifteen digits of a number.
constexpr size_t kDigitsMax = 11;
constexpr absl::string_view kBeginFormulas[] = {"=",  "+",  "-",  "@",  "\t",
                                                "\r", "＝", "＋", "－", "＠"};

bool IsLongNumber(absl::string_view text) {
  return text.size() > kDigitsMax && std::all_of(text.begin(), text.end() - 1, [](char c) {
           return absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

// Some programs take the wide signs for the others.
bool LooksLikeFormula(absl::string_view text) {
  return std::any_of(std::begin(kBeginFormulas), std::end(kBeginFormulas),
                     [&](absl::string_view one) { return absl::StartsWith(text, one); });
}

std::string Quoted(absl::string_view text) {
  if (text.find_first_of(",\"\r\n") == absl::string_view::npos) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

// Words that are shown as they are, and never worked out.
std::string CsvText(absl::string_view text) {
  const bool guarded = LooksLikeFormula(text) || IsLongNumber(text);
  return Quoted(absl::StrCat(guarded ? "'" : "", text));
}

std::string CsvCell(const Cell& cell) {
  return cell.kind == Cell::Kind::kText ? CsvText(cell.text) : Quoted(cell.text);
}

std::string Joined(const std::vector<std::string>& cells) {
  return absl::StrCat(absl::StrJoin(cells, ","), "\r\n");
}

std::string CsvRow(const std::vector<Cell>& row) {
  std::vector<std::string> cells;
  for (const Cell& cell : row) cells.push_back(CsvCell(cell));
  return Joined(cells);
}

// ---- On a screen

bool IsNumber(const Cell& cell) {
  return cell.kind == Cell::Kind::kNumber || cell.kind == Cell::Kind::kYuan ||
         cell.kind == Cell::Kind::kHours || cell.kind == Cell::Kind::kPercent;
}

constexpr size_t kScreenWidthMax = 40;

// One line of it, cut where it is long.
std::string ScreenText(const Cell& cell) {
  std::string text;
  absl::string_view rest = cell.text;
  for (size_t width = 0; !rest.empty();) {
    absl::string_view left = rest;
    char32_t character = 0;
    if (!TakeCharacter(&left, &character)) break;
    const absl::string_view one = rest.substr(0, rest.size() - left.size());
    width += WidthOf(one);
    if (width > kScreenWidthMax - 1 && WidthOf(left) > 0) return text + "…";
    absl::StrAppend(&text, PrintableLine(one));
    rest = left;
  }
  return text;
}

struct ScreenCell {
  std::string text;
  bool right = false;
};
using ScreenRow = std::vector<ScreenCell>;

std::string Drawn(const ScreenRow& row, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string padding(widths[i] - WidthOf(row[i].text), ' ');
    absl::StrAppend(&line, i == 0 ? "" : "  ", row[i].right ? padding : "", row[i].text,
                    row[i].right ? "" : padding);
  }
  return absl::StrCat(std::string(absl::StripTrailingAsciiWhitespace(line)), "\n");
}

}  // namespace

std::string CsvOf(const LedgerTable& table) {
  std::string csv = absl::StrCat("\xEF\xBB\xBF", CsvText(table.title), "\r\n");
  std::vector<std::string> heads;
  for (const std::string& head : table.heads) heads.push_back(CsvText(head));
  absl::StrAppend(&csv, Joined(heads));
  for (const std::vector<Cell>& row : table.rows) absl::StrAppend(&csv, CsvRow(row));
  if (!table.sums.empty()) absl::StrAppend(&csv, CsvRow(table.sums));
  for (const std::string& note : table.notes) absl::StrAppend(&csv, CsvText(note), "\r\n");
  std::vector<std::string> feet;
  for (const std::string& foot : table.feet) feet.push_back(CsvText(foot));
  return absl::StrCat(csv, Joined(feet));
}

std::string TextOf(const LedgerTable& table) {
  std::vector<ScreenRow> rows(1);
  for (const std::string& head : table.heads) rows[0].push_back({head});
  const auto add = [&](const std::vector<Cell>& cells) {
    ScreenRow& row = rows.emplace_back();
    for (const Cell& cell : cells) row.push_back({ScreenText(cell), IsNumber(cell)});
  };
  for (const std::vector<Cell>& row : table.rows) add(row);
  if (!table.sums.empty()) add(table.sums);
  std::vector<size_t> widths(table.heads.size());
  for (const ScreenRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], WidthOf(row[i].text));
    }
  }
  std::string text = absl::StrCat(table.title, "\n");
  for (const ScreenRow& row : rows) absl::StrAppend(&text, Drawn(row, widths));
  for (const std::string& note : table.notes) absl::StrAppend(&text, note, "\n");
  return text;
}

}  // namespace zhibu
