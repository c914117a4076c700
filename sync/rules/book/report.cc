#include "sync/rules/book/report.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sync/base/text.h"
#include "sync/base/words.h"
#include "sync/wire/shown.h"

namespace zhibu::rules {
namespace {

using rules::v1::BalanceSheet;
using rules::v1::Line;
using rules::v1::Part;
using rules::v1::Report;

// ---- What is told -----------------------------------------------------------------

zhibu::Words NameOf(const Breakdown& by, int64_t bucket) {
  zhibu::Words words;
  words.set_zh(by.NameOf(bucket, Language::kChinese));
  words.set_en(by.NameOf(bucket, Language::kEnglish));
  return words;
}

// Parts that are too small, and as many more as keep those from being told by subtraction: the
// smallest ones.
std::vector<bool> TooFew(const std::vector<std::pair<int64_t, Sum>>& parts, int64_t smallest) {
  std::vector<bool> few(parts.size());
  int64_t hidden = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    few[i] = parts[i].second.records < smallest;
    if (few[i]) hidden += parts[i].second.records;
  }
  while (hidden > 0 && hidden < smallest) {
    size_t next = parts.size();
    for (size_t i = 0; i < parts.size(); ++i) {
      const bool smaller =
          next == parts.size() || parts[i].second.records < parts[next].second.records;
      if (!few[i] && smaller) next = i;
    }
    if (next == parts.size()) break;
    few[next] = true;
    hidden += parts[next].second.records;
  }
  return few;
}

class Telling {
 public:
  Telling(const Tally& tally, const Figure& figure, absl::FunctionRef<Sight(const Figure&)> sees)
      : tally_(tally),
        figure_(figure),
        sees_(sees),
        sight_(sees(figure)),
        smallest_(sight_ == Sight::kGroups ? figure.text.smallest_group() : 0) {}

  Line Tell() const {
    Line line;
    line.set_key(figure_.text.key());
    *line.mutable_words() = figure_.text.words();
    *line.mutable_unit() = figure_.text.unit();
    line.set_in_hundredths(figure_.text.in_hundredths());
    line.set_source(figure_.text.source());
    line.set_telling(HowMuch());
    if (line.telling() != rules::v1::TOLD) return line;
    line.set_amount(tally_.Whole(figure_).amount);
    line.set_not_known(tally_.NotKnown(figure_));
    const Figure* whole = tally_.book().FindFigure(figure_.text.out_of());
    if (whole != nullptr && Telling(tally_, *whole, sees_).HowMuch() == rules::v1::TOLD) {
      line.set_out_of(whole->text.key());
      *line.mutable_out_of_words() = whole->text.words();
      line.set_out_of_amount(tally_.Whole(*whole).amount);
    }
    if (!TellsParts()) return line;
    for (size_t way = 0; way < figure_.by.size(); ++way) AddWay(way, &line);
    return line;
  }

 private:
  rules::v1::Telling HowMuch() const {
    if (sight_ == Sight::kUnknown) return rules::v1::NOT_KNOWN_HERE;
    if (sight_ == Sight::kNothing) return rules::v1::NOT_TOLD;
    // What will be, as it is known now, says when somebody's next birthday is.
    if (sight_ == Sight::kGroups && !tally_.HasBegun()) return rules::v1::NOT_TOLD;
    if (smallest_ <= 1) return rules::v1::TOLD;
    if (!tally_.period().IsYears()) return rules::v1::NOT_TOLD;
    const int64_t records = tally_.Whole(figure_).records;
    return records > 0 && records < smallest_ ? rules::v1::FEW : rules::v1::TOLD;
  }

  // From month to month they say on which day somebody passes from one to the other.
  bool TellsParts() const { return sight_ != Sight::kGroups || tally_.period().IsYears(); }

  void AddWay(size_t way, Line* line) const {
    const Breakdown& by = figure_.by[way];
    const std::vector<std::pair<int64_t, Sum>> parts = tally_.Parts(figure_, way);
    if (parts.empty()) return;
    const std::vector<bool> few = TooFew(parts, smallest_);
    rules::v1::Way& told = *line->add_ways();
    told.set_key(by.text.key());
    *told.mutable_words() = by.text.words();
    for (size_t i = 0; i < parts.size(); ++i) {
      Part& part = *told.add_parts();
      *part.mutable_words() = NameOf(by, parts[i].first);
      if (few[i]) {
        part.set_telling(rules::v1::FEW);
      } else {
        part.set_amount(parts[i].second.amount);
      }
    }
  }

  const Tally& tally_;
  const Figure& figure_;
  const absl::FunctionRef<Sight(const Figure&)> sees_;
  const Sight sight_;
  const int64_t smallest_;
};

BalanceSheet BalanceOf(const Balance& balance, const Tally& tally,
                       absl::FunctionRef<Sight(const Figure&)> sees) {
  BalanceSheet sheet;
  sheet.set_key(balance.text.key());
  *sheet.mutable_words() = balance.text.words();
  sheet.set_source(balance.text.source());
  int64_t open = 0;
  const auto look_at = [&](const Figure& figure) {
    const Sight sight = sees(figure);
    const bool seen =
        sight == Sight::kAll || (sight == Sight::kGroups && figure.text.smallest_group() <= 1);
    if (!seen) sheet.set_not_known(true);
    sheet.set_uncertain(sheet.uncertain() + tally.NotKnown(figure));
  };
  for (const Figure* figure : balance.stock) {
    look_at(*figure);
    sheet.set_start(sheet.start() + tally.Start(*figure).amount);
    sheet.set_end(sheet.end() + tally.Whole(*figure).amount);
  }
  const auto add = [&](const std::vector<const Figure*>& figures, int sign, auto* entries) {
    for (const Figure* figure : figures) {
      look_at(*figure);
      BalanceSheet::Entry& entry = *entries->Add();
      entry.set_key(figure->text.key());
      *entry.mutable_words() = figure->text.words();
      entry.set_amount(tally.Whole(*figure).amount);
      open += sign * entry.amount();
    }
  };
  add(balance.plus, 1, sheet.mutable_plus());
  add(balance.minus, -1, sheet.mutable_minus());
  sheet.set_difference(sheet.start() + open - sheet.end());
  if (!sheet.not_known()) return sheet;
  // Nothing of what may not be seen.
  BalanceSheet hidden;
  hidden.set_key(sheet.key());
  *hidden.mutable_words() = sheet.words();
  hidden.set_source(sheet.source());
  hidden.set_not_known(true);
  return hidden;
}

// ---- Words ------------------------------------------------------------------------

std::string NumberOf(int64_t amount, bool in_hundredths) {
  if (!in_hundredths) return absl::StrCat(amount);
  const uint64_t size =
      amount < 0 ? 0 - static_cast<uint64_t>(amount) : static_cast<uint64_t>(amount);
  return absl::StrFormat("%s%d.%02d", amount < 0 ? "-" : "", size / 100, size % 100);
}

std::string Padded(const std::string& text, size_t width) {
  const size_t wide = WidthOf(text);
  return absl::StrCat(text, std::string(wide < width ? width - wide : 0, ' '));
}

std::string Reason(rules::v1::Telling telling, Language language) {
  switch (telling) {
    case rules::v1::NOT_KNOWN_HERE:
      return Say(language, "本机不掌握", "not known here");
    case rules::v1::FEW:
      return Say(language, "人数过少，不显示", "too few to be told");
    default:
      return Say(language, "不显示", "not told");
  }
}

std::string ValueOf(const Line& line, Language language) {
  if (line.telling() != rules::v1::TOLD) return Reason(line.telling(), language);
  std::string text = NumberOf(line.amount(), line.in_hundredths());
  if (!line.out_of().empty()) {
    absl::StrAppend(&text, " / ", NumberOf(line.out_of_amount(), line.in_hundredths()));
  }
  absl::StrAppend(&text, " ", In(language, line.unit()));
  if (!line.out_of().empty() && line.out_of_amount() > 0) {
    absl::StrAppendFormat(
        &text, " (%.1f%%)",
        100.0 * static_cast<double>(line.amount()) / static_cast<double>(line.out_of_amount()));
  }
  if (line.not_known() > 0) {
    absl::StrAppend(&text, Say(language, "（另有 ", " (not known: "), line.not_known(),
                    Say(language, " 条不详）", ")"));
  }
  return text;
}

std::string TextOf(const rules::v1::Way& way, const Line& line, Language language) {
  std::string text = absl::StrCat("    ", In(language, way.words()), Say(language, "：", ": "));
  for (int i = 0; i < way.parts_size(); ++i) {
    const Part& part = way.parts(i);
    absl::StrAppend(&text, i > 0 ? Say(language, "；", "; ") : "", In(language, part.words()), " ",
                    part.telling() == rules::v1::TOLD
                        ? NumberOf(part.amount(), line.in_hundredths())
                        : Reason(part.telling(), language));
  }
  return absl::StrCat(text, "\n");
}

std::string TextOf(const BalanceSheet::Open& open, Language language) {
  std::string text = absl::StrCat("    ", open.organisation_name(), " ",
                                  open.difference() > 0 ? "+" : "", open.difference());
  for (int i = 0; i < open.persons_size(); ++i) {
    absl::StrAppend(&text, i > 0 ? Say(language, "、", ", ") : Say(language, "：", ": "),
                    open.persons(i));
  }
  return absl::StrCat(text, "\n");
}

std::string TextOf(const BalanceSheet& sheet, Language language) {
  std::string text = absl::StrCat(In(language, sheet.words()), "\n");
  if (sheet.not_known()) {
    return absl::StrCat(text, "  ", Say(language, "本机不掌握", "not known here"), "\n");
  }
  size_t width = 0;
  const auto measure = [&](const auto& entries) {
    for (const auto& entry : entries) width = std::max(width, WidthOf(In(language, entry.words())));
  };
  measure(sheet.plus());
  measure(sheet.minus());
  const auto row = [&](const char* sign, const std::string& words, int64_t amount) {
    absl::StrAppend(&text, "  ", sign, " ", Padded(words, width), absl::StrFormat("%8d", amount),
                    "\n");
  };
  row(" ", Say(language, "期初", "at the start"), sheet.start());
  for (const auto& entry : sheet.plus()) row("+", In(language, entry.words()), entry.amount());
  for (const auto& entry : sheet.minus()) row("-", In(language, entry.words()), entry.amount());
  row("=", Say(language, "期末", "at the end"), sheet.end());
  if (sheet.uncertain() > 0) {
    absl::StrAppend(&text, "  ", Say(language, "不详：", "not known: "), sheet.uncertain(), "\n");
  }
  if (sheet.difference() == 0 && sheet.open().empty()) {
    return absl::StrCat(text, "  ", Say(language, "平衡", "it closes"), "\n");
  }
  absl::StrAppend(&text, "  ", Say(language, "不平衡，相差 ", "it does not close, by "),
                  sheet.difference(), "\n");
  for (const auto& open : sheet.open()) absl::StrAppend(&text, TextOf(open, language));
  return text;
}

}  // namespace

Report ReportOf(const Tally& tally, absl::FunctionRef<Sight(const Figure&)> sees) {
  Report report;
  report.set_from(absl::FormatCivilTime(absl::CivilDay(MonthFrom(tally.period().first))));
  report.set_until(absl::FormatCivilTime(absl::CivilDay(MonthFrom(tally.period().last + 1)) - 1));
  for (const Figure& figure : tally.book().figures()) {
    *report.add_lines() = Telling(tally, figure, sees).Tell();
  }
  for (const Balance& balance : tally.book().balances()) {
    *report.add_balances() = BalanceOf(balance, tally, sees);
  }
  return report;
}

std::string TextOf(const Report& report, Language language) {
  std::string text = absl::StrCat(report.from(), Say(language, " 至 ", " to "), report.until());
  if (report.organisations() > 1) {
    absl::StrAppend(&text, Say(language, "，党组织 ", ", organisations: "), report.organisations());
  }
  absl::StrAppend(&text, "\n");
  if (report.being_made()) {
    absl::StrAppend(&text, Say(language, "汇总正在重新计算，以下数字不全\n",
                               "the sums are being made anew: what follows is not all\n"));
  }
  if (report.incomplete()) {
    absl::StrAppend(&text, Say(language, "服务器上有读不出的记录，未计入\n",
                               "records that the server cannot read are not counted\n"));
  }
  size_t width = 0;
  for (const Line& line : report.lines()) {
    width = std::max(width, WidthOf(In(language, line.words())));
  }
  for (const Line& line : report.lines()) {
    absl::StrAppend(&text, "  ", Padded(In(language, line.words()), width), "  ",
                    ValueOf(line, language), "\n");
    for (const auto& way : line.ways()) absl::StrAppend(&text, TextOf(way, line, language));
  }
  for (const BalanceSheet& sheet : report.balances()) {
    absl::StrAppend(&text, TextOf(sheet, language));
  }
  for (const std::string& fault : report.faults()) {
    absl::StrAppend(&text,
                    Say(language, "规则有误，未计：", "A rule is wrong and counts nothing: "),
                    fault, "\n");
  }
  return text;
}

}  // namespace zhibu::rules
