// Sums, added up to what a report of a period says: over the months, and over organisations.
//
//   Tally tally(book, {MonthOf(first), MonthOf(last)}, this_month);
//   for (…) tally.Add(key, sum);           // in any order; each once
//   tally.Whole(*book.FindFigure("meeting.held"))     ->  {17, 17}
//
//   on its day     the sums of the months of the period
//   standing       all times - the months after the period
//   each month     what stands at the end of each month of the period that has begun
//
// A sum that would overflow stays at the edge. Not for several threads.
#ifndef ZHIBU_SYNC_RULES_BOOK_TALLY_H_
#define ZHIBU_SYNC_RULES_BOOK_TALLY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "sync/base/sum.h"
#include "sync/rules/book/book.h"

namespace zhibu::rules {

// Both included.
struct Months {
  // "2026", "2026-Q1", "2026-03"; nothing of all else, and of years that nobody counts.
  static std::optional<Months> From(absl::string_view text);

  int32_t first = 0;
  int32_t last = 0;

  bool Has(int32_t month) const { return first <= month && month <= last; }
  bool IsYears() const { return first % 12 == 0 && last % 12 == 11; }
};

class Tally {
 public:
  // `book` outlives it.
  Tally(const Book& book, Months period, int32_t this_month)
      : book_(book), period_(period), this_month_(this_month) {}

  void Add(const SumKey& key, const Sum& sum);

  const Book& book() const { return book_; }
  const Months& period() const { return period_; }
  bool HasBegun() const { return period_.first <= this_month_; }
  Sum Whole(const Figure& figure) const { return Find(figure, kWhole, 0); }
  // Of what stands: at the end of the month before the period.
  Sum Start(const Figure& figure) const;
  // Records of which it is not known what they count for.
  int64_t NotKnown(const Figure& figure) const { return Find(figure, kNotKnown, 0).records; }
  // By band or bucket, what was not said last; `way` counts from 0.
  std::vector<std::pair<int64_t, Sum>> Parts(const Figure& figure, size_t way) const;

 private:
  using Place = std::tuple<uint32_t, uint32_t, int64_t>;  // figure, by, band
  Sum Find(const Figure& figure, uint32_t by, int64_t band) const;

  const Book& book_;
  const Months period_;
  const int32_t this_month_;
  absl::flat_hash_map<Place, Sum> sums_;
  std::map<uint32_t, Sum> starts_;
};

// How much of a sum a period has; nothing of one that is not the whole.
Sum ShareIn(const Months& period, int32_t this_month, const Figure& figure, const SumKey& key,
            const Sum& sum);
// What a sum makes of start + plus - minus - end.
int64_t OpenBy(const Balance& balance, const Figure& figure, const Months& period,
               const SumKey& key, const Sum& sum);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_TALLY_H_
