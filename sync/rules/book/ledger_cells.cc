#include "sync/rules/book/ledger_cells.h"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "sync/base/date.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/cel/collections.h"
#include "sync/schema/codes.h"
#include "sync/wire/shown.h"

namespace zhibu::rules {
namespace {

using cel::Kind;
using cel::Value;
using Text = rules::v1::Ledger;

constexpr double kFenToAYuan = 100;
constexpr double kMinutesToAnHour = 60;

Cell TextCell(std::string text) {
  Cell cell;
  if (!text.empty()) cell = {Cell::Kind::kText, std::move(text)};
  return cell;
}

Cell UnknownCell() { return {Cell::Kind::kUnknown, "—"}; }

double NumberIn(const Value& value) {
  if (value.kind() == Kind::kUint) return static_cast<double>(value.uint_value());
  return value.kind() == Kind::kDouble ? value.double_value()
                                       : static_cast<double>(value.int_value());
}

// 3, 1.5: without zeros that say nothing.
std::string Plain(double number) { return absl::StrFormat("%.10g", number); }

Cell NumberCell(Cell::Kind kind, double number) {
  Cell cell{.kind = kind, .number = number};
  if (kind == Cell::Kind::kYuan) {
    cell.text = absl::StrFormat("%.2f", number);
  } else if (kind == Cell::Kind::kPercent) {
    cell.text = absl::StrFormat("%.1f%%", number * 100);
  } else {
    cell.text = Plain(number);
  }
  return cell;
}

Cell DayCell(Cell::Kind kind, absl::CivilDay day) {
  const std::string text = absl::FormatCivilTime(day);
  return {kind, kind == Cell::Kind::kMonth ? text.substr(0, 7) : text, 0, absl::CivilSecond(day)};
}

// A time that nobody has set is 1970.
bool IsUnset(const Value& value) {
  return value.kind() == Kind::kTimestamp && value.time() == absl::UnixEpoch();
}

// A month of which nobody knows the day stays one.
Cell CellOfDay(const Value& value) {
  if (value.kind() == Kind::kString && value.text().empty()) return Cell();
  const auto day = DayOf(value);
  if (!day) return TextCell(std::string(value.text()));
  const bool month = value.kind() == Kind::kString && !IsDate(value.text());
  return DayCell(month ? Cell::Kind::kMonth : Cell::Kind::kDay, *day);
}

Cell CellOfTime(const Value& value) {
  const absl::CivilSecond time =
      absl::ToCivilSecond(value.time(), absl::FixedTimeZone(8 * 60 * 60));
  return {Cell::Kind::kTime,
          absl::StrCat(absl::FormatCivilTime(absl::CivilDay(time)),
                       absl::StrFormat(" %02d:%02d", time.hour(), time.minute())),
          0, absl::CivilSecond(absl::CivilMinute(time))};
}

std::string WordsOfValue(const google::protobuf::EnumDescriptor& values, int64_t number,
                         Language language) {
  const auto* value = values.FindValueByNumber(static_cast<int>(number));
  if (value == nullptr) return absl::StrCat(number);
  const bool says_nothing =
      number == 0 && value->options().GetExtension(zhibu::value_label).empty();
  return says_nothing ? "" : WordsOf(*value, language);
}

std::string WordsOfCode(const std::string& table, absl::string_view code, Language language) {
  const Code* known = FindCode(table, code);
  if (known == nullptr) return std::string(code);
  return language == Language::kChinese || known->en().empty() ? known->zh() : known->en();
}

Cell CellByType(const LedgerColumn& column, const Value& value, Language language,
                absl::FunctionRef<Value(absl::string_view)> name_of) {
  switch (value.kind()) {
    case Kind::kBool:
      return TextCell(language == Language::kChinese ? (value.bool_value() ? "是" : "否")
                                                     : (value.bool_value() ? "yes" : "no"));
    case Kind::kString:
      return TextCell(column.text.codes().empty()
                          ? std::string(value.text())
                          : WordsOfCode(column.text.codes(), value.text(), language));
    case Kind::kBytes: {
      if (value.text().empty()) return Cell();
      const Value name = name_of(value.text());
      return name.is_proper() ? TextCell(std::string(name.text())) : UnknownCell();
    }
    case Kind::kTimestamp:
      return CellOfTime(value);
    default:
      break;
  }
  if (column.values != nullptr) {
    return TextCell(WordsOfValue(*column.values, value.int_value(), language));
  }
  return NumberCell(Cell::Kind::kNumber, NumberIn(value));
}

Cell CellOfOne(const LedgerColumn& column, const Value& value, Language language,
               absl::FunctionRef<Value(absl::string_view)> name_of) {
  if (!value.is_proper()) return UnknownCell();
  if (IsUnset(value)) return Cell();
  switch (column.text.shown()) {
    case Text::YUAN:
      return NumberCell(Cell::Kind::kYuan, NumberIn(value) / kFenToAYuan);
    case Text::HOURS:
      return NumberCell(Cell::Kind::kHours, NumberIn(value) / kMinutesToAnHour);
    case Text::PERCENT:
      return NumberCell(Cell::Kind::kPercent, NumberIn(value));
    case Text::DAY:
      return CellOfDay(value);
    case Text::TIME:
      return CellOfTime(value);
    default:
      return CellByType(column, value, language, name_of);
  }
}

}  // namespace

Cell CellOf(const LedgerColumn& column, const Value& value, Language language,
            absl::FunctionRef<Value(absl::string_view)> name_of) {
  if (!value.is_proper() || value.kind() != Kind::kList) {
    return CellOfOne(column, value, language, name_of);
  }
  const cel::List& list = value.list();
  std::vector<Cell> cells;
  for (size_t i = 0; i < list.size(); ++i) {
    Cell cell = CellOfOne(column, list.At(i), language, name_of);
    if (cell.kind != Cell::Kind::kEmpty) cells.push_back(std::move(cell));
  }
  if (cells.empty()) return Cell();
  if (cells.size() == 1) return std::move(cells.front());
  std::string joined;
  for (const Cell& cell : cells) {
    absl::StrAppend(&joined, joined.empty() ? "" : (language == Language::kChinese ? "、" : ", "),
                    cell.text);
  }
  return TextCell(std::move(joined));
}

Cell SumOf(const std::vector<std::vector<Cell>>& rows, size_t column) {
  double sum = 0;
  Cell::Kind kind = Cell::Kind::kNumber;
  for (const std::vector<Cell>& row : rows) {
    const Cell& cell = row[column];
    const bool counts = cell.kind == Cell::Kind::kNumber || cell.kind == Cell::Kind::kYuan ||
                        cell.kind == Cell::Kind::kHours;
    if (!counts) continue;
    kind = cell.kind;
    // In whole fen and minutes, which doubles hold exactly.
    const double unit = kind == Cell::Kind::kYuan    ? kFenToAYuan
                        : kind == Cell::Kind::kHours ? kMinutesToAnHour
                                                     : 1;
    sum = (std::round(sum * unit) + std::round(cell.number * unit)) / unit;
  }
  return NumberCell(kind, sum);
}

}  // namespace zhibu::rules
