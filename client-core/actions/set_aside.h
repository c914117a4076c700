// Edits that the server did not merge: one's own that came back, and others' that wait for
// one's decision.
//
//   ASSIGN_OR_RETURN(Draft held, store->Edit<HeldEdit>(id));       // as it is shown
//   ASSIGN_OR_RETURN(held, TakeHeldEdit(std::move(held)));
//   ASSIGN_OR_RETURN(EditNumber number, store->Commit({&held}));   // merged at the next sync
//
// One's own are listed, made again and let go of by Store::ListSetAside, Amend and Discard.
// A decision is an edit of its own, about nothing else.
//
// Threads and errors: actions/known.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_SET_ASIDE_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_SET_ASIDE_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "zhibu/records/v1/held.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::client {

// What this device has set aside under that place. NOT_FOUND: nothing.
absl::StatusOr<SetAside> FindSetAside(Store& store, int64_t place);

// An edit of somebody else's that waits for whoever acts for its branches.
struct WaitingEdit {
  Id id;  // of the HeldEdit
  records::v1::HeldEdit held;
  sync::v1::Edit edit;  // empty where its branches may not see each other's
};
absl::Status ListWaitingEdits(Store& store, absl::FunctionRef<void(const WaitingEdit&)> visit);

absl::StatusOr<Draft> TakeHeldEdit(Draft held);
// `reply`: why, to the author.
absl::StatusOr<Draft> ReturnHeldEdit(Draft held, const std::string& reply);

// What a change sets, as a record in which all else is empty. Null: its type is not known
// here, or it cannot be read.
std::unique_ptr<google::protobuf::Message> WhatIsSet(const Schema& schema,
                                                     const sync::v1::Change& change);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_SET_ASIDE_H_
