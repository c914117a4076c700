// Something that is recorded twice, and is two facts all the same (DistinctFact): what is due asks
// of what may be one, and whoever keeps the records answers.
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_DISTINCT_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_DISTINCT_H_

#include <string>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "sync/schema/schema.h"

namespace zhibu::client {

// The record tells of another fact than the earlier one that looks like it: of this one it is asked
// no more. NOT_UNDERSTOOD: it is not asked of it now (WhatIsDue).
absl::StatusOr<Draft> SayDistinct(Store& store, const RecordType& type, const Id& id,
                                  const std::string& why);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_DISTINCT_H_
