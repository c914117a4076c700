// What the server makes of the code that a member has scanned (docs/check-in.md):
// a code that cannot be true sends the edit back, one that may be true is taken,
// and marked where something about it is odd.
#ifndef ZHIBU_SYNC_RULES_CHECK_IN_H_
#define ZHIBU_SYNC_RULES_CHECK_IN_H_

#include <memory>

#include "sync/rules/rule.h"

namespace zhibu {

// Lends: whom a branch has shown its code is its guest for this one record.
std::unique_ptr<const Rule> CheckInRule();

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_CHECK_IN_H_
