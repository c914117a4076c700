// One person who is registered as two members (疑似重复登记): what whoever is above both
// finds, and what the two say to it. The server has found the pair; it merges the two once
// both have agreed (zhibu/records/v1/duplicate.proto).
//
//   ASSIGN_OR_RETURN(Draft pair, store->Edit<DuplicatePerson>(id));    // as it is shown
//   ASSIGN_OR_RETURN(pair, AgreeToBeOne(*store, std::move(pair)));
//   ASSIGN_OR_RETURN(EditNumber number, store->Commit({&pair}));
//
// `pair` is the DuplicatePerson as whoever acts saw it.
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_PERSONS_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_PERSONS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"

namespace zhibu::client {

// By the organisation above both: they are one, and both are asked. `keep`: the member
// that stays; without one, the first of the two.
absl::StatusOr<Draft> FindOnePerson(Draft pair, const std::optional<Id>& keep);
// By the same: they are two.
absl::StatusOr<Draft> FindTwoPersons(Draft pair);

// By this device's owner, under the one of their entries that is asked. Nothing is changed
// where they have agreed before. NOT_ENTITLED: they are neither of the two.
absl::StatusOr<Draft> AgreeToBeOne(Store& store, Draft pair);
// By either of the two, or by the organisation above both: they are not one after all.
absl::StatusOr<Draft> Separate(Draft pair);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_PERSONS_H_
