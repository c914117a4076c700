// What was sown before its time. A field that a server does not know is kept, so anybody
// may write a number that only a later version declares. One that must be known to be
// merged (Change.special: a place, a step, the server's own, one with readers of its own)
// an honest app names as such, and the older server returns it. So what stands in one
// that an update has just declared was put there to become somebody's place or the
// server's word, and goes before anything is served:
//
//   declared now, special, not declared before  ⇒  it holds nothing
//
// Plain fields that an update declares keep what newer apps have written in them.
#ifndef ZHIBU_SERVER_FEED_SOWN_H_
#define ZHIBU_SERVER_FEED_SOWN_H_

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "server/store/store.h"
#include "sync/schema/schema.h"

namespace zhibu::server {

// Every field of every type and of every element, by name: "2.5" (type and field), and of
// elements "zhibu.records.v1.Meeting.AgendaItem.1".
std::set<std::string> FieldsOf(const Schema& schema);

// Takes what was sown out of every record, the deleted ones and what the merge remembers
// included. `before`: FieldsOf when the server last began; a type or element of which it
// names no field had none. Whether there was any.
absl::StatusOr<bool> ClearSown(Writer& writer, const Schema& schema,
                               const std::set<std::string>& before);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FEED_SOWN_H_
