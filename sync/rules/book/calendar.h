// Which days are worked, by the calendars of the rule book: each year's holidays and the weekends
// that are worked instead (调休).
//
//   worked(day) = it is named as worked, or it is no Saturday, no Sunday and not named as off
//
// Of a year without a calendar nothing is known: what is reckoned over it is provisional, and
// refuses nobody.
#ifndef ZHIBU_SYNC_RULES_BOOK_CALENDAR_H_
#define ZHIBU_SYNC_RULES_BOOK_CALENDAR_H_

#include <map>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "zhibu/rules/v1/rules.pb.h"

namespace zhibu::rules {

class Calendars {
 public:
  // INVALID_ARGUMENT names the year and what is wrong: a day of another year, a day that is none,
  // a working day that is worked anyway, two calendars of one year.
  absl::Status Add(const rules::v1::Calendar& calendar);

  // Nothing: the year has no calendar.
  std::optional<bool> IsWorked(absl::CivilDay day) const;
  // The last of so many working days after `day`; nothing where a year on the way has no calendar.
  std::optional<absl::CivilDay> AddWorkdays(absl::CivilDay day, int64_t count) const;
  // From one day to the other, both included.
  std::optional<int64_t> WorkdaysBetween(absl::CivilDay from, absl::CivilDay until) const;

  // By year.
  std::vector<rules::v1::Calendar> All() const;

 private:
  struct Year {
    rules::v1::Calendar text;
    std::map<absl::CivilDay, bool> worked;  // what is named
  };

  std::map<absl::civil_year_t, Year> years_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_CALENDAR_H_
