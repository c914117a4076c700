// What waits for an organisation's answer (HOST_IS_ASKED): what reaches it of its own accord
// from those who have nothing to do with it, so there is not much of that from one of them.
//
//   asked(home, host) = the records of home's that lie at host, which is asked; each bears the
//                       mark of the two as long as that is so
#ifndef ZHIBU_SYNC_RULES_ASKED_H_
#define ZHIBU_SYNC_RULES_ASKED_H_

#include <cstddef>
#include <memory>

#include "sync/rules/rule.h"

namespace zhibu {

// So many records of one organisation may wait for the answer of one other.
inline constexpr size_t kAskedMax = 200;

// TOO_MANY_ASKED.
std::unique_ptr<const Rule> AskedRule();

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_ASKED_H_
