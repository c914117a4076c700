// What is due: every obligation of the rule book against the records that are there, as of a day.
//
//   ASSIGN_OR_RETURN(const DueList list, WorkOutDue(ShippedBook(), records, today, mine));
//
// An obligation has a last day. With g days of grace, and w of warning:
//
//   coming     last - w ≤ today ≤ last
//   due        last < today ≤ last + g
//   overdue    last + g < today
//   question   last ≤ today, of an obligation that is one: never more than that
//
// Of records that may tell of one fact (Obligation.same) one item asks of all that were made after
// the first of them and that nothing has met.
//
// What is met by some record, or has not begun, is not in the list. Of periods those of the last
// year are looked at. What cannot be known here, because a day was not written down or a
// parameter was not in force, makes nothing due. A rule that goes wrong is listed as such, and
// says nothing of anybody.
//
// Pure: device and server work it out from what each holds, with the same code. The list says
// what is due and nothing else follows from it.
#ifndef ZHIBU_SYNC_RULES_BOOK_DUE_H_
#define ZHIBU_SYNC_RULES_BOOK_DUE_H_

#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "sync/rules/book/book.h"
#include "sync/rules/book/shelf.h"
#include "sync/rules/cel/budget.h"

namespace zhibu::rules {

enum class Standing { kOverdue, kDue, kQuestion, kComing };  // in the order of urgency

struct DueItem {
  const Obligation* obligation = nullptr;
  Id subject;          // of the type obligation->each
  std::string period;  // "2026-03", "2026-Q1", "2026"; empty: none
  absl::CivilDay last;
  Standing standing = Standing::kComing;
  int64_t missing = 1;  // times, of those that the period asks for
  // The record that was made first and may tell of the same fact; `missing` more may, of which the
  // subject is the oldest.
  std::optional<Id> same_as;
};

struct DueList {
  std::vector<DueItem> items;  // the most urgent first, of those the oldest
  // Rules that went wrong, each once: "key: what, and where".
  std::vector<std::string> faults;
};

// Whether it is of what is kept in that place, that whoever acts there sees to it: the person
// themselves of what is theirs, and, with that, whoever keeps it.
bool SeesTo(const Obligation& obligation, Place place);

// What all obligations that others have added may cost for one list (WorkOutDue's `purse`).
inline constexpr uint64_t kAddedDueStepsMax = 10'000'000;

// Two of them as one.
void Add(DueList more, DueList* list);

// `concerns`: whether it is for whoever asks to see to it, and they would know what has met it.
// `purse`: what rules that others have added may cost together; what is beyond it is a fault of the
// rule, and so is what makes more items than anybody reads. Null: each expression has its own
// budget.
absl::StatusOr<DueList> WorkOutDue(
    const Book& book, Records& records, absl::CivilDay today,
    absl::FunctionRef<bool(const Obligation&, const Id&, const google::protobuf::Message&)>
        concerns,
    cel::Purse* purse = nullptr);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_DUE_H_
