// Who may see what lies where, as the store's feeds keep it (FeedRow::offices).
//
//   somebody may see a record = in one of its scopes they hold one of the offices
//                               that ShowingsOf names there
//
// This is EyesOn(…).Meet(ReadersOf(…)) scope by scope, so that a feed can be read by
// those who may see a part of it as though there were no other.
#ifndef ZHIBU_SERVER_FEED_SIGHT_H_
#define ZHIBU_SERVER_FEED_SIGHT_H_

#include <vector>

#include "absl/status/status.h"
#include "server/store/store.h"
#include "sync/merge/state.h"
#include "sync/schema/schema.h"

namespace zhibu::server {

// Every scope that the record lies in, once; nobody sees a deleted one. What has changed
// since it was `before` has moved for those whose part of it is not the same: who is shown
// nothing of a field hears nothing of its changes either.
std::vector<Showing> ShowingsOf(const Schema& schema, const RecordType& type, const Id& id,
                                const RecordState& before, const RecordState& state);

// Works it out again for all that is stored: after an update of the server that shows
// records to others. Only together with a new incarnation (server/feed/incarnation.h): what
// somebody could see before is forgotten.
absl::Status WorkOutSeen(Writer& writer, const Schema& schema);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FEED_SIGHT_H_
