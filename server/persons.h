// One person who is registered as two members: how that is noticed, and what is so once
// somebody has found that they are one and both of them have agreed.
//
//   marks(member)  = keyed hashes of the identity number, and of name and birth date
//   persons(p)     = p and all whom MERGED records of DuplicatePerson join to p
//   what is p's own = what is that of any of persons(p); offices stay each one's
//
// Nothing is rewritten when persons are merged: their records stay where they are, and
// undoing it is leaving the record's state. Only the one that is not kept gets a pointer.
//
// Until somebody has found that they are one, nothing of it lies with either of the two:
// who writes down a number that they guess sees nothing change. So which pairs join whom
// is found by an index beside the records.
//
// What one edit costs here grows with what it changes, whatever it says: a mark that more
// than kBearersMax have makes no pairs, and one edit no more than kPairsMax. The operator
// is told (Admin::Duplicates).
//
// The key of the marks is made at random and kept in the store's settings, which are
// sealed with the operator's key: without it nobody can try out identity numbers.
#ifndef ZHIBU_SERVER_PERSONS_H_
#define ZHIBU_SERVER_PERSONS_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/store.h"
#include "sync/environment.h"
#include "sync/schema.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

class Ingest;

// Of those who share one mark, and of the pairs that one edit makes.
inline constexpr size_t kBearersMax = 20;
inline constexpr int kPairsMax = 500;

// Once for every store, before anything else is written: makes the key, looks through the
// members that are there, and indexes who was joined before there was an index.
absl::Status EnsureMarks(Store& store, Ingest& ingest, const Environment& environment);

// What a record says of a person by which they may be known again. None: it is of another
// type, or says nothing such.
struct Marked {
  Id person;
  records::v1::DuplicatePerson::By by = records::v1::DuplicatePerson::BY_UNSPECIFIED;
  std::string mark;

  bool operator==(const Marked& other) const {
    return person == other.person && mark == other.mark;
  }
};
// `key`: of the marks; empty: none are made.
std::vector<Marked> MarksOf(absl::string_view key, const RecordKey& record,
                            const RecordState& state);
absl::StatusOr<std::string> MarkKeyOf(Reader& reader);

// Stores what a change of one record does to the marks, and to the index of who is joined.
// Adds to `persons` whom it may concern.
absl::Status UpdateMarks(Writer& writer, absl::string_view key, const RecordKey& record,
                         const RecordState& before, const RecordState& after,
                         std::set<Id>* persons);

// Adds to `own` a DuplicatePerson for everybody who has one of the persons' marks, be they
// new or old: a number that is taken back, or a pointer, makes others count. Call when the
// marks of all of an edit are stored, for all whom it may concern.
absl::Status FindDuplicates(Reader& reader, absl::string_view key, const std::set<Id>& persons,
                            int64_t now_ms, sync::v1::Edit* own);

// Adds the DuplicatePerson of the two, unless it is there. `shown`: what is known of them.
absl::Status AddDuplicate(Reader& reader, const Id& one, const Id& other,
                          records::v1::DuplicatePerson::By by, int64_t now_ms, sync::v1::Edit* own);
Id DuplicateId(const Id& one, const Id& other);

// May somebody who goes by `author`, and knew the record up to `seen`, make this of a
// DuplicatePerson? Beside what is declared: nobody finds whether they are somebody else, and
// everybody agrees for themself alone, to what they have seen, which then stays.
// NOT_ENTITLED; STEP_NOT_ALLOWED: nobody is asked, or not about that any more; BAD_VALUE: the
// one to keep is neither.
absl::Status JudgeDecision(const RecordState& before, absl::string_view after,
                           const std::vector<Id>& author, Version seen);

// What follows from a DuplicatePerson that is to be as `state` says, and was as `before`
// says. Adds to `own` that both are asked, that they are merged once both have agreed, and
// the pointers that change. BAD_VALUE: the one to keep is neither of the two;
// STEP_NOT_ALLOWED: one of them is merged with somebody else.
absl::Status FollowDecision(Reader& reader, const Id& id, const RecordState& before,
                            const RecordState& state, sync::v1::Edit* own);

// `person` first.
absl::StatusOr<std::vector<Id>> PersonsOf(Reader& reader, const Id& person);
// Whom all of them count as.
absl::StatusOr<Id> KeptOf(Reader& reader, const Id& person);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_PERSONS_H_
