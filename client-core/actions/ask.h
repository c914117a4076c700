// Looking at records that are not held here: what lies below one's organisation, or what
// concerns one member. The one thing people do that needs a link: a question is made and
// its pages are read here, and a Session or Syncer carries it (its Ask).
//
//   Syncer(&store).Ask(AskBelow(type, organisation), [&](const sync::v1::Page& page) {
//     status.Update(ReadPage(type, page, [&](const Id& id, const Message& record) { … }));
//     return status.ok();   // false: enough
//   }, absl::Seconds(30));
//
// Nothing of it is held afterwards. Errors: ASK_NOT_BELOW and the other refusals of the
// server come with a page (Page.refusal).
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_ASK_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_ASK_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

// The records of one type that the organisation keeps, and those below it.
sync::v1::Ask AskBelow(const RecordType& type, const Id& organisation);

// What concerns one member. With a reason it opens for four hours what the asker's office
// does not show them, and the member and the superior see the reason. BAD_VALUE,
// ASK_WITHOUT_REASON: no server would take that reason (sync/wire/ask.h).
absl::StatusOr<sync::v1::Ask> AskAboutMember(const RecordType& type, const Id& member,
                                             const std::string& reason);

// The records of a page, in its order. What refused it; DATA_LOSS: a record cannot be read,
// and the others have been visited all the same.
absl::Status ReadPage(const RecordType& type, const sync::v1::Page& page,
                      absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_ASK_H_
