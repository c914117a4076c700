// Who goes by several entries of the register, and what is so once somebody has found that two
// are one person and both of them have agreed.
//
//   persons(p)       = p and all whom MERGED records of DuplicatePerson join to p
//   what is p's own  = what is that of any of persons(p); offices stay each one's
//
// Nothing is rewritten when persons are merged: their records stay where they are, and
// undoing it is leaving the record's state. Only the one that is not kept gets a pointer.
//
// Until somebody has found that they are one, nothing of it lies with either of the two:
// who writes down a number that they guess sees nothing change. So which pairs join whom
// is found by an index beside the records.
//
// How it is noticed that somebody may be registered twice: sync/rules/duplicates.h.
#ifndef ZHIBU_SYNC_RULES_PERSONS_H_
#define ZHIBU_SYNC_RULES_PERSONS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/rules/lookup.h"
#include "sync/rules/rule.h"

namespace zhibu {

std::unique_ptr<const Rule> PersonsRule();

// Puts those on, or takes them off, by which the two are found that the DuplicatePerson is
// about. They stand for those alone that join somebody now: pairs that are two again, however
// many, hide none.
void MarkJoined(const Id& id, const RecordState& state, Marks* marks);

// Under which the pairs are found that join this person. Not keyed: the ids are no secret here.
std::string JoinedMark(const Id& person);
// `person` first.
absl::StatusOr<std::vector<Id>> PersonsOf(Lookup& reader, const Id& person);
// Whom all of them count as.
absl::StatusOr<Id> KeptOf(Lookup& reader, const Id& person);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_PERSONS_H_
