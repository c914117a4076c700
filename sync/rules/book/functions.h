// What the expressions of the rule book may call beside CEL's own. A day is a timestamp at its
// first moment in China:
//
//   day('2026-03-01')  day('2026-03')  day(this.starts_at)    unknown where the text is empty
//   from.addDays(30)   from.addMonths(param('transfer.receipt_within'))
//   later(day(this.joined), registered)    from.firstOfMonth()
//   from.addWorkdays(5)            the last of so many working days after it
//   workdaysBetween(a, b)          both included; unknown where a year has no calendar
//   isIdentityNumber(this.identity_number)    bornBy(this.identity_number)
//   this.expected > 0u ? int(this.expected) : notSaid()      an int that nobody wrote down: unknown
//   param('meeting.members')       as it is in force on the day that is judged; an int
//
// A check may look at other records too. A function bears the name of each type that there is:
//
//   DevelopmentCase(this.case_id).stage          the record with that id
//   DevelopmentStepOf(this.case_id, this.attempt, TRAINING).result
//                                                the one that these make the id of (id_from)
//
// Of what is not known here, and of what is kept elsewhere than the record that is judged, the
// result is unknown. What was never made by these is empty: it says nothing in any of its fields.
//
// A parameter that the book does not have is an error of compiling; one that was not in force on
// that day makes the result unknown: nothing was asked for then.
#ifndef ZHIBU_SYNC_RULES_BOOK_FUNCTIONS_H_
#define ZHIBU_SYNC_RULES_BOOK_FUNCTIONS_H_

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "sync/rules/book/calendar.h"
#include "sync/rules/book/parameters.h"
#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/budget.h"
#include "sync/rules/cel/environment.h"
#include "sync/rules/cel/value.h"
#include "sync/schema/schema.h"

namespace zhibu::rules {

// Of one evaluation: the day that is judged.
class JudgedDay : public cel::Host {
 public:
  explicit JudgedDay(absl::CivilDay day) : day(day) {}
  const absl::CivilDay day;
};

// The same, of an evaluation that may look at other records.
class JudgedRecord : public JudgedDay {
 public:
  using JudgedDay::JudgedDay;
  // Each gives a message of the type, and may charge for its size. No `id`: what was given makes
  // none.
  virtual cel::Value RecordWith(const RecordType& type, absl::string_view id,
                                cel::Meter* meter) const = 0;
  virtual cel::Value RecordMadeBy(const RecordType& type, const std::optional<Id>& id,
                                  cel::Meter* meter) const = 0;
};

// Both outlive the programs. Every evaluation has a JudgedDay as its host.
void AddFunctions(const Parameters& parameters, const Calendars& calendars,
                  cel::Environment* environment);
// Every evaluation has a JudgedRecord as its host.
void AddRecords(const Schema& schema, cel::Environment* environment);

cel::Value ValueOf(absl::CivilDay day);
// A date, a month (its first day) or a time; nothing of all else.
std::optional<absl::CivilDay> DayOf(const cel::Value& value);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_FUNCTIONS_H_
