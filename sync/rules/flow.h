// Moving people (docs/flow.md): what the server refuses of it, and what follows from
// it that only the server can write. Which steps somebody may take at all is declared
// with the records (taken_by).
//
//   transfer received          -> the person's own records are of the new branch
//   stay accepted              -> the host sees the member's record, passes, contacts;
//                                 until then it sees the stay, and nothing else
//   stay ended, home changed   -> it does not any longer
//   check-in away from home    -> the home branch sees it
//   pass issued                -> it is signed, for hosts that are offline
//   stay, transfer             -> each side is told the other's name
//   stay declined, withdrawn   -> the host sees it no longer, nor a letter (HostSight)
#ifndef ZHIBU_SYNC_RULES_FLOW_H_
#define ZHIBU_SYNC_RULES_FLOW_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/rules/rule.h"
#include "sync/schema/schema.h"
#include "zhibu/records/v1/flow.pb.h"

namespace zhibu {

// Of stays and letters each has consequences for all of a person: so many to an edit.
inline constexpr int kMovesMax = 20;
// Stays of one person that have been reported and have neither been declined nor ended.
inline constexpr int kOpenStaysMax = 5;
// With those that have ended: more than in a lifetime of seasons.
inline constexpr int kStaysMax = 200;
// The longest that a letter may run (X; domain §2). To become a rule's parameter.
inline constexpr int kLetterDaysMax = 90;

// Of a letter that is issued: LETTER_TOO_LONG.
absl::Status CheckLetter(const records::v1::Transfer& letter);
// Of one that is received on that day, as YYYY-MM-DD: LETTER_EXPIRED.
absl::Status CheckRuns(const records::v1::Transfer& letter, absl::string_view date);

// MISSING_FIELD: it does not begin at a step; NOT_OF_BRANCH, LETTER_EXPIRED, LETTER_TOO_LONG,
// BAD_VALUE, TOO_MANY_STAYS; TOO_LARGE: more than kMovesMax or kStaysMax.
std::unique_ptr<const Rule> FlowRule(std::shared_ptr<const Schema> schema);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_FLOW_H_
