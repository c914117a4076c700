// One person who is registered as two members: how that is noticed, and what is so once
// somebody has decided that they are one.
//
//   marks(member)  = keyed hashes of the identity number, and of name and birth date
//   persons(p)     = p and all whom MERGED records of DuplicatePerson join to p
//   what p may hold, and where p acts = what any of persons(p) may, anywhere
//
// Nothing is rewritten when persons are merged: their records stay where they are, and
// undoing it is leaving the record's state. Only the one that is not kept gets a pointer.
//
// The key of the marks is made at random and kept in the store's settings, which are
// sealed with the operator's key: without it nobody can try out identity numbers.
#ifndef ZHIBU_SERVER_PERSONS_H_
#define ZHIBU_SERVER_PERSONS_H_

#include <functional>
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

// Once for every store, before anything else is written: makes the key, and looks through
// the members that are there.
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

// Stores what has become of the marks of one record.
absl::Status UpdateMarks(Writer& writer, const std::vector<Marked>& before,
                         const std::vector<Marked>& after);

// Adds to `own` a DuplicatePerson for everybody who has one of the person's marks, be they
// new or old: a number that is taken back, or a pointer, makes others count. Call when the
// marks of all of an edit are stored, for each whose records it has changed.
absl::Status FindDuplicates(Reader& reader, absl::string_view key, const Id& person, int64_t now_ms,
                            sync::v1::Edit* own);

// Adds the DuplicatePerson of the two, unless it is there. `shown`: what is known of them.
absl::Status AddDuplicate(Reader& reader, const Id& one, const Id& other,
                          records::v1::DuplicatePerson::By by, int64_t now_ms, sync::v1::Edit* own);
Id DuplicateId(const Id& one, const Id& other);

// What follows from a DuplicatePerson that now is as `state` says, and was as `before`
// says: adds the pointers that change to `own`. BAD_VALUE: the one to keep is neither of
// the two; STEP_NOT_ALLOWED: they are one person already, by others.
absl::Status Decide(Reader& reader, const RecordState& before, const RecordState& state,
                    sync::v1::Edit* own);

// `person` first.
absl::StatusOr<std::vector<Id>> PersonsOf(Reader& reader, const Id& person);
// Those too who were merged with them once.
absl::StatusOr<std::vector<Id>> PersonsEver(Reader& reader, const Id& person);
// Whom all of them count as.
absl::StatusOr<Id> KeptOf(Reader& reader, const Id& person);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_PERSONS_H_
