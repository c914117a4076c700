#include "server/exchange/columns.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "sync/exchange/headings.h"
#include "sync/exchange/text.h"

namespace zhibu::server {
namespace {

// Titles, the office, the day stand above a header; notes how to fill it in as well.
constexpr size_t kRowsAboveMax = 30;
constexpr size_t kHeaderRowsMax = 3;

// As headings.textproto calls them, in the order of Column.
constexpr absl::string_view kNames[kColumns] = {"entry",         "name",
                                                "sex",           "ethnic_group",
                                                "born",          "education",
                                                "degree",        "native_place",
                                                "working_since", "post",
                                                "stage",         "joined",
                                                "confirmed",     "status",
                                                "phone",         "identity_number",
                                                "address",       "registered_place",
                                                "branch",        "branch_kind",
                                                "superior",      "host_superior"};

const std::array<ColumnRule, kColumns>& ColumnRules() {
  static const auto& rules = *[] {
    auto* made = new std::array<ColumnRule, kColumns>;
    for (const auto& heading : AllHeadings().headings()) {
      const auto* name = std::find(std::begin(kNames), std::end(kNames), heading.column());
      // It is part of the program: one that names no column was never tested.
      if (name == std::end(kNames)) std::abort();
      (*made)[name - std::begin(kNames)] = {
          heading.zh(), heading.en(), {heading.aliases().begin(), heading.aliases().end()}};
    }
    return made;
  }();
  return rules;
}

// A heading that is known: of which column, and how many of its words stand before this one.
struct Meaning {
  Column column = kColumns;
  size_t rank = 0;
};

const Meaning* MeaningOf(absl::string_view heading) {
  static const auto& meanings = *[] {
    auto* made = new absl::flat_hash_map<std::string, Meaning>;
    for (size_t i = 0; i < kColumns; ++i) {
      const ColumnRule& rule = ColumnRules()[i];
      size_t rank = 0;
      made->emplace(FoldHeading(rule.zh), Meaning{Column{i}, rank});
      made->emplace(FoldHeading(rule.en), Meaning{Column{i}, rank});
      for (const std::string& alias : rule.aliases) {
        made->emplace(FoldHeading(alias), Meaning{Column{i}, ++rank});
      }
    }
    return made;
  }();
  std::string folded = FoldHeading(heading);
  auto found = meanings.find(folded);
  // 姓名*, 出生日期（年月日）: what is added says how to fill it in.
  if (found == meanings.end()) {
    folded.erase(std::remove(folded.begin(), folded.end(), '*'), folded.end());
    found = meanings.find(folded.substr(0, folded.find('(')));
  }
  return found == meanings.end() ? nullptr : &found->second;
}

// May a row belong to the header above it? Under a column that is known there stands no value.
bool IsMoreHeader(const Header& header, const SheetRow& row) {
  if (row.broken) return false;
  for (size_t i = 0; i < kColumns; ++i) {
    const absl::string_view cell = header.Cell(row, Column{i});
    if (!cell.empty() && MeaningOf(cell) == nullptr) return false;
  }
  return true;
}

}  // namespace

const ColumnRule& RuleOf(Column column) { return ColumnRules()[column]; }

Header::Header(absl::Span<const SheetRow> rows) {
  for (const SheetRow& row : rows) {
    if (headings_.size() < row.cells.size()) headings_.resize(row.cells.size());
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const absl::string_view cell = Trim(row.cells[i]);
      if (!cell.empty()) headings_[i] = std::string(cell);
    }
  }
  std::array<size_t, kColumns> ranks = {};
  for (size_t i = 0; i < headings_.size(); ++i) {
    const Meaning* meaning = MeaningOf(headings_[i]);
    if (meaning == nullptr) continue;
    std::optional<size_t>& place = places_[meaning->column];
    if (!place) ++known_;
    if (place && ranks[meaning->column] <= meaning->rank) continue;
    place = i;
    ranks[meaning->column] = meaning->rank;
  }
}

std::vector<UnreadColumn> Header::Unread() const {
  std::vector<UnreadColumn> unread;
  for (size_t i = 0; i < headings_.size(); ++i) {
    if (headings_[i].empty()) continue;
    const Meaning* meaning = MeaningOf(headings_[i]);
    if (meaning == nullptr) {
      unread.push_back({i, headings_[i], Say("列名不认识", "its heading is unknown")});
    } else if (places_[meaning->column] != i) {
      const absl::string_view read = HeadingOf(meaning->column);
      unread.push_back({i, headings_[i],
                        Say(absl::StrCat("与“", Excerpt(read), "”列意思相同"),
                            absl::StrCat("it means the same as \"", Excerpt(read), "\""))});
    }
  }
  return unread;
}

std::vector<ReadColumn> Header::Read() const {
  std::vector<ReadColumn> read;
  for (size_t i = 0; i < kColumns; ++i) {
    const Column column{i};
    if (Has(column)) read.push_back({column, *PlaceOf(column), std::string(HeadingOf(column))});
  }
  return read;
}

absl::string_view Header::Cell(const SheetRow& row, Column column) const {
  const std::optional<size_t> place = places_[column];
  return place && *place < row.cells.size() ? Trim(row.cells[*place]) : absl::string_view();
}

bool Header::IsRepeatedBy(const SheetRow& row) const {
  size_t same = 0;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    const absl::string_view cell = Trim(row.cells[i]);
    if (cell.empty()) continue;
    if (i >= headings_.size() || FoldHeading(cell) != FoldHeading(headings_[i])) return false;
    ++same;
  }
  return same >= 2;
}

std::optional<FoundHeader> FindHeader(absl::Span<const SheetRow> rows) {
  std::optional<FoundHeader> best;
  for (size_t first = 0; first < std::min(rows.size(), kRowsAboveMax); ++first) {
    if (rows[first].broken) continue;
    FoundHeader found{first, 1, Header(rows.subspan(first, 1))};
    while (found.rows < kHeaderRowsMax && first + found.rows < rows.size() &&
           IsMoreHeader(found.header, rows[first + found.rows])) {
      Header more(rows.subspan(first, found.rows + 1));
      if (more.known() <= found.header.known()) break;
      found.header = std::move(more);
      ++found.rows;
    }
    if (!found.header.Has(kName)) continue;
    // A title is no upper part of a header that knows as much without it.
    const bool better = !best || found.header.known() > best->header.known() ||
                        (found.header.known() == best->header.known() && found.rows < best->rows);
    if (better) best = std::move(found);
  }
  return best;
}

}  // namespace zhibu::server
