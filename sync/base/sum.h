// By what a sum is kept: of a figure of the rule book, in a month, in one way of breaking it down.
//
//   {.figure = 3, .by = 1, .month = MonthOf(day), .bucket = Meeting::LECTURE}  ->  {2, 2}
//
// A figure is numbered as the rule book lists it, so that numbers of two books do not mix: whoever
// keeps sums keeps which book made them (rules::Book::figures_digest).
#ifndef ZHIBU_SYNC_BASE_SUM_H_
#define ZHIBU_SYNC_BASE_SUM_H_

#include <compare>
#include <cstdint>

#include "absl/time/civil_time.h"

namespace zhibu {

// Instead of a month: of all times.
inline constexpr int32_t kAllTimes = 0;
// Ways of breaking down are numbered from 1; 0 is the whole.
inline constexpr uint32_t kWhole = 0;
// Instead of a way: how many records there are of which it is not known what they count for.
inline constexpr uint32_t kNotKnown = 255;

// Buckets that no declaration has.
inline constexpr int64_t kOther = -1;    // a value that this build does not know
inline constexpr int64_t kNotSaid = -2;  // nothing was written down, or it is not known here

struct SumKey {
  uint32_t figure = 0;
  uint32_t by = kWhole;
  int32_t month = kAllTimes;
  int64_t bucket = 0;

  friend auto operator<=>(const SumKey&, const SumKey&) = default;
};

struct Sum {
  int64_t amount = 0;
  int64_t records = 0;

  bool empty() const { return amount == 0 && records == 0; }
  Sum& operator+=(const Sum& more) {
    amount += more.amount;
    records += more.records;
    return *this;
  }
  Sum operator-() const { return {-amount, -records}; }
  friend bool operator==(const Sum&, const Sum&) = default;
};

inline int32_t MonthOf(absl::CivilDay day) {
  return static_cast<int32_t>(day.year()) * 12 + day.month() - 1;
}
inline absl::CivilMonth MonthFrom(int32_t month) {
  return absl::CivilMonth(month / 12, month % 12 + 1);
}

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_SUM_H_
