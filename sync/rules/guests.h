// Which branches see a record because of where its person is: the fields of its type that are
// GUEST and SERVER.
//
//   branches(p)   = the one that p belongs to, and the hosts of p's stays that last
//   guests(r of p) = branches(p) without who keeps r, as long as that one has to do with p
//
// Of a record that is made elsewhere the home of then sees it, and goes on to.
#ifndef ZHIBU_SYNC_RULES_GUESTS_H_
#define ZHIBU_SYNC_RULES_GUESTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/rules/lookup.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// Of a Flow: the host has accepted it, and it has not ended.
bool StayLasts(absl::string_view body);

// What is on the stays of the person that last (Lookup::FindMarked), so that those of former years
// are not read; and what puts it there and takes it off.
std::string StaysMark(const Id& person);
void MarkStay(const Id& id, const RecordState& before, const RecordState& after, Marks* marks);

// Whose guests follow from the person that it is about. A note lies where its record does.
bool TakesGuests(const RecordType& type);

// Adds to `edit` what fills in the guests of one record, which was as `before` says until now.
absl::Status AddGuests(Lookup& reader, const RecordType& type, const Id& id, const Id& person,
                       absl::string_view before, const RecordState& state, sync::v1::Edit* edit);

// What has to do with a person has changed: a stay, or (`placed`) their placement. Adds what
// fills in the guests of all their records.
absl::Status FollowPerson(Lookup& reader, const Schema& schema, const Id& person, bool placed,
                          sync::v1::Edit* edit);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_GUESTS_H_
