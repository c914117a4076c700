#include "sync/rules/book/tally.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "sync/base/date.h"

namespace zhibu::rules {
namespace {

int64_t AddWithin(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

int64_t TimesWithin(int64_t a, int64_t b) {
  int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a > 0) == (b > 0) ? std::numeric_limits<int64_t>::max()
                            : std::numeric_limits<int64_t>::min();
}

void AddTo(Sum* sum, const Sum& more, int64_t times) {
  sum->amount = AddWithin(sum->amount, TimesWithin(more.amount, times));
  sum->records = AddWithin(sum->records, TimesWithin(more.records, times));
}

// At the end of the month: how often a sum counts there.
int64_t TimesStanding(int32_t month, int32_t at) {
  if (month == kAllTimes) return 1;
  return month > at ? -1 : 0;
}

int64_t TimesEachMonth(int32_t month, int32_t first, int32_t last) {
  if (last < first) return 0;
  if (month == kAllTimes) return last - first + 1;
  if (month > last) return first - last - 1;
  return month > first ? first - month : 0;
}

int64_t TimesIn(const Figure& figure, int32_t month, const Months& period, int32_t this_month) {
  switch (figure.text.counting()) {
    case rules::v1::Figure::STANDS:
      return TimesStanding(month, period.last);
    case rules::v1::Figure::EACH_MONTH:
      return TimesEachMonth(month, period.first, std::min(period.last, this_month));
    default:
      return period.Has(month) ? 1 : 0;
  }
}

bool IsAmong(const std::vector<const Figure*>& figures, const Figure& figure) {
  return std::count(figures.begin(), figures.end(), &figure) > 0;
}

}  // namespace

std::optional<Months> Months::From(absl::string_view text) {
  int year = 0;
  const bool has_year = absl::SimpleAtoi(text.substr(0, 4), &year) && year >= 1900 && year < 2200;
  if (!has_year) return std::nullopt;
  const absl::string_view rest = text.substr(4);
  const int32_t first = year * 12;
  if (rest.empty()) return Months{first, first + 11};
  if (rest.size() == 3 && rest.substr(0, 2) == "-Q" && '1' <= rest[2] && rest[2] <= '4') {
    const int32_t quarter = first + (rest[2] - '1') * 3;
    return Months{quarter, quarter + 2};
  }
  const auto day = rest.size() == 3 ? DayFrom(text) : std::nullopt;
  if (!day) return std::nullopt;
  return Months{MonthOf(*day), MonthOf(*day)};
}

void Tally::Add(const SumKey& key, const Sum& sum) {
  if (key.figure >= book_.figures().size()) return;
  const Figure& figure = book_.figures()[key.figure];
  if (key.by == kNotKnown) {
    const bool concerned = key.month == kAllTimes || period_.Has(key.month);
    if (concerned) AddTo(&sums_[{key.figure, kNotKnown, 0}], sum, 1);
    return;
  }
  int64_t band = key.bucket;
  if (key.by != kWhole) {
    if (key.by > figure.by.size()) return;
    band = figure.by[key.by - 1].BandOf(key.bucket, period_.last);
  }
  if (const int64_t times = TimesIn(figure, key.month, period_, this_month_); times != 0) {
    AddTo(&sums_[{key.figure, key.by, band}], sum, times);
  }
  if (key.by != kWhole || !figure.stands()) return;
  AddTo(&starts_[key.figure], sum, TimesStanding(key.month, period_.first - 1));
}

Sum Tally::Find(const Figure& figure, uint32_t by, int64_t band) const {
  const auto found = sums_.find({figure.number, by, band});
  return found == sums_.end() ? Sum() : found->second;
}

Sum Tally::Start(const Figure& figure) const {
  const auto found = starts_.find(figure.number);
  return found == starts_.end() ? Sum() : found->second;
}

std::vector<std::pair<int64_t, Sum>> Tally::Parts(const Figure& figure, size_t way) const {
  std::vector<std::pair<int64_t, Sum>> parts;
  for (const auto& [place, sum] : sums_) {
    if (std::get<0>(place) != figure.number || std::get<1>(place) != way + 1) continue;
    if (!sum.empty()) parts.emplace_back(std::get<2>(place), sum);
  }
  // What has no bucket is at the end.
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first < 0, a.first) < std::pair(b.first < 0, b.first);
  });
  return parts;
}

Sum ShareIn(const Months& period, int32_t this_month, const Figure& figure, const SumKey& key,
            const Sum& sum) {
  Sum share;
  if (key.by == kWhole) AddTo(&share, sum, TimesIn(figure, key.month, period, this_month));
  return share;
}

int64_t OpenBy(const Balance& balance, const Figure& figure, const Months& period,
               const SumKey& key, const Sum& sum) {
  if (key.by != kWhole) return 0;
  if (IsAmong(balance.stock, figure)) {
    return sum.amount *
           (TimesStanding(key.month, period.first - 1) - TimesStanding(key.month, period.last));
  }
  if (!period.Has(key.month)) return 0;
  if (IsAmong(balance.plus, figure)) return sum.amount;
  return IsAmong(balance.minus, figure) ? -sum.amount : 0;
}

}  // namespace zhibu::rules
