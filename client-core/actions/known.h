// What actions ask the device's records before they act: where somebody belongs, what
// they are called, what day it is.
//
// An action (the other headers of this folder) is something that people do. It is given
// the record as they saw it, refuses what cannot be, and gives a draft of what they make of
// it; nothing is written before that is committed, and nothing needs a network:
//
//   ASSIGN_OR_RETURN(Draft stay, store->Edit<Flow>(id));               // as it is shown
//   ASSIGN_OR_RETURN(stay, AcceptStay(*store, std::move(stay), "陈书记 000-2"));
//   ASSIGN_OR_RETURN(EditNumber number, store->Commit({&stay}));       // durable from here
//
// What came in between the first line and the last they have not seen, and it is treated
// so: it is not undone, and what they agreed to is what they saw. The draft that is given
// is used up, whatever comes of it.
//
// Whether somebody may take a step, the server says (docs/authority.md): an edit that is
// not theirs to make comes back, and Store::ListSetAside has it.
//
// Threads: any thread may call any action, as for the store. Errors: those of the store;
// INVALID_ARGUMENT where a draft is given that is of another type; where an action says
// more, the reasons of sync/base/reason.h.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_KNOWN_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_KNOWN_H_

#include <google/protobuf/message.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/types/span.h"
#include "client-core/store/store.h"

namespace zhibu::client {

// Every record of a type, until `visit` returns false.
template <typename T>
absl::Status Each(Store& store, absl::FunctionRef<bool(const Id&, const T&)> visit) {
  return store.List({.type = store.schema().Find(T::descriptor())->number},
                    [&](const Id& id, const google::protobuf::Message& message) {
                      return visit(id, static_cast<const T&>(message));
                    });
}

// Every record of a type that can be read: one that is damaged hides nothing else.
absl::Status ListReadable(
    Store& store, const RecordType& type,
    absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit);

// The branch that the member belongs to, as this device knows. NOT_FOUND.
absl::StatusOr<Id> BranchOfMember(Store& store, const Id& member);

// `member_id`: as records hold it. The name; the id as text where the member's record is
// not here; empty where it is no id.
std::string NameOfMember(Store& store, absl::string_view member_id);

// What people call a record: the name of the member that it is about, or its first line. Where the
// member's record is not here, as on the phone of a superior: the organisation that keeps it.
std::string NameOfRecord(Store& store, const RecordType& type, const Id& id);

// The day in China, by the server's clock.
absl::StatusOr<absl::CivilDay> Today(Store& store);
// As records hold it: "2026-01-31". Today where no day is given.
absl::StatusOr<std::string> DateOrToday(Store& store, const std::optional<absl::CivilDay>& day);

// Several drafts as one edit, in this order. Errors: as Store::Commit.
absl::StatusOr<EditNumber> CommitTogether(Store& store, absl::Span<Draft> drafts);

// The body of a record of that type, or what a change sets of one; null where it cannot be
// read.
std::unique_ptr<google::protobuf::Message> ReadAs(const RecordType& type, absl::string_view body);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_KNOWN_H_
