// What the expressions of the rule book may call beside CEL's own. A day is a timestamp at its
// first moment in China:
//
//   day('2026-03-01')  day('2026-03')  day(this.starts_at)    unknown where the text is empty
//   from.addDays(30)   from.addMonths(param('transfer.receipt_within'))
//   later(day(this.joined), registered)    from.firstOfMonth()
//   param('meeting.members')       as it is in force on the day that is judged; an int
//
// A parameter that the book does not have is an error of compiling; one that was not in force on
// that day makes the result unknown: nothing was asked for then.
#ifndef ZHIBU_SYNC_RULES_BOOK_FUNCTIONS_H_
#define ZHIBU_SYNC_RULES_BOOK_FUNCTIONS_H_

#include <optional>

#include "absl/time/civil_time.h"
#include "sync/rules/book/parameters.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/environment.h"
#include "sync/rules/cel/value.h"

namespace zhibu::rules {

// Of one evaluation: the day that is judged.
class JudgedDay final : public cel::Host {
 public:
  explicit JudgedDay(absl::CivilDay day) : day(day) {}
  const absl::CivilDay day;
};

// `parameters` outlives the programs. Every evaluation has a JudgedDay as its host.
void AddFunctions(const Parameters& parameters, cel::Environment* environment);

cel::Value ValueOf(absl::CivilDay day);
// A date, a month (its first day) or a time; nothing of all else.
std::optional<absl::CivilDay> DayOf(const cel::Value& value);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_FUNCTIONS_H_
