// Taking back what is written once (冲正): a payment, dues handed up, an entry of the funds, aid.
// The record stays, and another of its type names it (a field that is kept_with its own type) with
// the amount turned round.
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_REVERSAL_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_REVERSAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "sync/schema/schema.h"

namespace zhibu::client {

// Whether records of the type are taken back so; others are changed, ended or deleted.
bool IsReversible(const RecordType& type);

// The record that takes it back, of today. `why`: for the records that have a place for it, a
// remark or what it was for. NOT_UNDERSTOOD: such records are not taken back so, it takes another
// back itself, it has been taken back, or has no place for `why`.
absl::StatusOr<Draft> Reverse(Store& store, const RecordType& type, const Id& id,
                              const std::string& why);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_REVERSAL_H_
