// Judges by the checks of the rule book (sync/rules/book/check.h), on the device before it
// commits and on the server once it has merged.
//
//   refused = a hard check is broken that reads what this edit changes, and the act
//               is of the day on which the edit was made, or of a later one, or
//               is of an earlier one, and nobody says why (irregular_because)
//
// By the checks that are shipped, and by those that an organisation above has added for the one
// that keeps the record (sync/rules/supplements.h). These see no more of anything than the author
// does, have one budget for the whole edit, and judge nothing that was written, or is said to have
// been done, before they were in force.
//
// So what was done on paper is entered late with its reason, and is shown to be irregular. Where a
// record was broken before, without a reason, and the act is past, a correction is taken: an old
// mistake stands in the way of nothing.
#ifndef ZHIBU_SYNC_RULES_CHECKS_H_
#define ZHIBU_SYNC_RULES_CHECKS_H_

#include <memory>

#include "sync/rules/book/book.h"
#include "sync/rules/rule.h"

namespace zhibu {

// `book` outlives it.
std::unique_ptr<const Rule> CheckRule(const rules::Book& book);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_CHECKS_H_
