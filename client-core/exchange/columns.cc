#include "client-core/exchange/columns.h"

#include <algorithm>

#include "sync/exchange/headings.h"
#include "sync/exchange/text.h"

namespace zhibu::client {
namespace {

constexpr size_t kRowsAboveMax = 30;
constexpr size_t kKnownMin = 2;

// 姓名*, 交纳日期（年月日）: what is added says how to fill it in.
std::string Plain(absl::string_view heading) {
  std::string folded = FoldHeading(heading);
  folded.erase(std::remove(folded.begin(), folded.end(), '*'), folded.end());
  const size_t bracket = folded.find('(');
  return bracket == 0 || bracket == std::string::npos ? folded : folded.substr(0, bracket);
}

// How far down the words for it the heading stands; nothing: it is another's.
std::optional<size_t> RankOf(const rules::v1::Ledger::Column& column, const std::string& heading) {
  if (heading == Plain(column.head().zh()) || heading == Plain(column.head().en())) return 0;
  for (int i = 0; i < column.aliases_size(); ++i) {
    if (heading == Plain(column.aliases(i))) return static_cast<size_t>(i) + 1;
  }
  return std::nullopt;
}

bool IsNumberHeading(const std::string& heading) {
  for (const auto& known : AllHeadings().headings()) {
    if (known.column() != "identity_number") continue;
    if (heading == Plain(known.zh()) || heading == Plain(known.en())) return true;
    const auto& aliases = known.aliases();
    return std::any_of(aliases.begin(), aliases.end(),
                       [&](const std::string& alias) { return heading == Plain(alias); });
  }
  return false;
}

}  // namespace

LedgerColumns::LedgerColumns(const rules::Ledger& ledger, const SheetRow& header)
    : places_(ledger.columns.size()) {
  for (const std::string& cell : header.cells) headings_.push_back(std::string(Trim(cell)));
  std::vector<size_t> ranks(places_.size());
  for (size_t place = 0; place < headings_.size(); ++place) {
    const std::string heading = Plain(headings_[place]);
    if (heading.empty()) continue;
    if (IsNumberHeading(heading)) number_ = place;
    for (size_t i = 0; i < places_.size(); ++i) {
      const std::optional<size_t> rank = RankOf(ledger.columns[i].text, heading);
      if (!rank || (places_[i] && ranks[i] <= *rank)) continue;
      if (!places_[i]) ++known_;
      places_[i] = place;
      ranks[i] = *rank;
    }
  }
}

absl::string_view LedgerColumns::Cell(const SheetRow& row, size_t column) const {
  const std::optional<size_t> place = places_[column];
  return place && *place < row.cells.size() ? Trim(row.cells[*place]) : absl::string_view();
}

absl::string_view LedgerColumns::NumberIn(const SheetRow& row) const {
  return number_ && *number_ < row.cells.size() ? Trim(row.cells[*number_]) : absl::string_view();
}

bool LedgerColumns::IsRepeatedBy(const SheetRow& row) const {
  size_t same = 0;
  for (size_t i = 0; i < row.cells.size(); ++i) {
    const absl::string_view cell = Trim(row.cells[i]);
    if (cell.empty()) continue;
    if (i >= headings_.size() || FoldHeading(cell) != FoldHeading(headings_[i])) return false;
    ++same;
  }
  return same >= kKnownMin;
}

std::vector<UnreadColumn> LedgerColumns::Unread() const {
  std::vector<UnreadColumn> unread;
  for (size_t place = 0; place < headings_.size(); ++place) {
    const bool read = number_ == place ||
                      std::count(places_.begin(), places_.end(), std::optional<size_t>(place)) > 0;
    if (!read && !headings_[place].empty()) unread.push_back({place, headings_[place]});
  }
  return unread;
}

std::optional<HeaderPlace> FindLedgerHeader(const rules::Ledger& ledger,
                                            absl::Span<const SheetRow> rows) {
  std::optional<HeaderPlace> best;
  for (size_t first = 0; first < std::min(rows.size(), kRowsAboveMax); ++first) {
    if (rows[first].broken) continue;
    const size_t known = LedgerColumns(ledger, rows[first]).known();
    if (known >= kKnownMin && (!best || known > best->known)) best = {first, 1, known};
  }
  return best;
}

}  // namespace zhibu::client
