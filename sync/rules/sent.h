// Which organisations see a record because of where its keeper stands among organisations: the
// fields that are ABOVE and SERVER, and those that are sent_to (options.proto).
//
//   above(r) = the superior of keeper(r), once it is asked; followed when that changes
//   sent(r)  = those of the organisations which r names that stand below keeper(r), as it was
//              when r was last written; of a field that is sent_while_below followed, too, and
//              where r names none all that stand below
//
// So whoever asks a superior need not act for it, and nobody puts a record before an
// organisation that has nothing to do with them. A superior is asked by a step of the record to a
// state from which it steps on itself (FieldRule::asked_in); one that takes no step of the type is
// shown it from the beginning.
#ifndef ZHIBU_SYNC_RULES_SENT_H_
#define ZHIBU_SYNC_RULES_SENT_H_

#include <memory>

#include "sync/rules/rule.h"
#include "sync/schema/schema.h"

namespace zhibu {

std::unique_ptr<const Rule> SentRule(std::shared_ptr<const Schema> schema);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_SENT_H_
