// Whoever stands with sensitive fields in a file that somebody has written out of their device
// (LedgerExport) is told so: an AccessLog of theirs, of that day, counts it.
//
//   told(export) = those of whom it gives something, who are in the branch's register, or were;
//                  not its author
//
// A device says itself what it has written out. What it was given to hold is logged before it is
// sent (server/sessions/access.h), whatever it says.
#ifndef ZHIBU_SYNC_RULES_EXPORTS_H_
#define ZHIBU_SYNC_RULES_EXPORTS_H_

#include <memory>

#include "sync/rules/rule.h"
#include "sync/schema/schema.h"

namespace zhibu {

// Persons by type of record: more are several exports (LedgerExport.given).
inline constexpr int kGivenMax = 400;

std::unique_ptr<const Rule> ExportsRule(std::shared_ptr<const Schema> schema);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_EXPORTS_H_
