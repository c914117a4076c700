// Months, quarters and years, as obligations count them.
#ifndef ZHIBU_SYNC_RULES_BOOK_PERIODS_H_
#define ZHIBU_SYNC_RULES_BOOK_PERIODS_H_

#include <string>

#include "absl/time/civil_time.h"
#include "zhibu/rules/v1/rules.pb.h"

namespace zhibu::rules {

struct PeriodDays {
  absl::CivilDay first;
  absl::CivilDay last;

  bool Has(absl::CivilDay day) const { return first <= day && day <= last; }
};

// The period that a day lies in, and the one after it.
PeriodDays PeriodOf(rules::v1::Period kind, absl::CivilDay day);
inline PeriodDays Next(rules::v1::Period kind, const PeriodDays& period) {
  return PeriodOf(kind, period.last + 1);
}

// "2026-03", "2026-Q1", "2026"
std::string NameOf(rules::v1::Period kind, const PeriodDays& period);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_PERIODS_H_
