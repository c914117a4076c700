#include "server/figures/summary.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "server/figures/sums.h"
#include "sync/base/damage.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

using rules::Balance;
using rules::v1::BalanceSheet;

constexpr size_t kOpenMax = 100;

// By how much a balance is open in which organisations.
class OpenIn {
 public:
  OpenIn(const Balance& balance, const rules::Months& period)
      : balance_(balance), period_(period) {}

  void Add(const Id& organisation, const rules::Figure& figure, const SumKey& key, const Sum& sum) {
    const int64_t by = OpenBy(balance_, figure, period_, key, sum);
    if (by == 0) return;
    if (open_.empty() || open_.back().first != organisation) open_.emplace_back(organisation, 0);
    open_.back().second += by;
  }

  void Tell(BalanceSheet* sheet) {
    std::erase_if(open_, [](const auto& one) { return one.second == 0; });
    std::sort(open_.begin(), open_.end(), [](const auto& a, const auto& b) {
      return std::pair(-std::abs(a.second), a.first) < std::pair(-std::abs(b.second), b.first);
    });
    for (size_t i = 0; i < std::min(open_.size(), kOpenMax); ++i) {
      BalanceSheet::Open& told = *sheet->add_open();
      told.set_organisation_id(open_[i].first.str());
      told.set_difference(open_[i].second);
    }
  }

 private:
  const Balance& balance_;
  const rules::Months period_;
  std::vector<std::pair<Id, int64_t>> open_;
};

}  // namespace

absl::StatusOr<rules::v1::Report> SummaryOf(
    Reader& reader, const rules::Book& book, absl::Span<const Id> organisations,
    const rules::Months& period, int32_t this_month,
    absl::FunctionRef<rules::Sight(const rules::Figure&)> sees) {
  ASSIGN_OR_RETURN(const stored::v1::SumsState state, SumsStateOf(reader, book));
  rules::Tally tally(book, period, this_month);
  std::vector<OpenIn> open;
  for (const Balance& balance : book.balances()) open.emplace_back(balance, period);
  // What stood before it follows from all times and the months since.
  const int from_year = period.first / 12;
  const bool any = state.phase() != stored::v1::SumsState::DROPPING;
  const absl::Status read =
      reader.ReadSums(any ? organisations : absl::Span<const Id>(), from_year,
                      [&](const Id& organisation, const SumKey& key, const Sum& sum) {
                        tally.Add(key, sum);
                        if (key.by != kWhole || key.figure >= book.figures().size()) return;
                        for (OpenIn& one : open)
                          one.Add(organisation, book.figures()[key.figure], key, sum);
                      });
  RETURN_IF_ERROR(PassOver(read));
  rules::v1::Report report = ReportOf(tally, sees);
  report.set_organisations(static_cast<uint32_t>(organisations.size()));
  report.set_being_made(state.phase() != stored::v1::SumsState::MADE || !read.ok());
  report.set_incomplete(state.incomplete());
  for (int i = 0; i < report.balances_size(); ++i) {
    BalanceSheet& sheet = *report.mutable_balances(i);
    if (!sheet.not_known()) open[static_cast<size_t>(i)].Tell(&sheet);
  }
  return report;
}

}  // namespace zhibu::server
