// Moving people (docs/flow.md): what the server refuses of it, and what follows from
// it that only the server can write. Which steps somebody may take at all is declared
// with the records (taken_by).
//
//   transfer received          -> the person's own records are of the new branch
//   stay accepted              -> the host sees the member's record, passes, contacts;
//                                 until then it sees the stay, and nothing else
//   stay ended, home changed   -> it does not any longer
//   check-in away from home    -> the home branch sees it
//   pass issued                -> it is signed, for hosts that are offline
//   stay, transfer             -> each side is told the other's name
//   stay declined, withdrawn   -> the host sees it no longer, nor a letter (HostSight)
#ifndef ZHIBU_SERVER_FLOW_H_
#define ZHIBU_SERVER_FLOW_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/store/store.h"
#include "sync/schema.h"
#include "sync/types.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// Of stays and letters each has consequences for all of a person: so many to an edit.
inline constexpr int kMovesMax = 20;
// Stays of one person that have been reported and have neither been declined nor ended.
inline constexpr int kOpenStaysMax = 5;

// So many stays and letters of one branch may wait for the answer of one other: what reaches
// an organisation of its own accord from those who have nothing to do with it.
inline constexpr size_t kAskedMax = 200;

// Counts it while it waits (a mark), for a record that has been written.
absl::Status MarkAsked(Writer& writer, const RecordType& type, const Id& id,
                       absl::string_view before, const RecordState& after);

// Judges the records of one edit: each, and how many they are.
class FlowJudge {
 public:
  // `reader` stays until the end.
  explicit FlowJudge(Reader& reader) : reader_(reader) {}

  // Of a record that an author changes from one body to another (empty: there was
  // none), and may (authority.h). `at_ms` is a time of theirs, and not before that at which
  // the record was changed last. MISSING_FIELD: it does not begin at a step; NOT_OF_BRANCH,
  // LETTER_EXPIRED, LETTER_TOO_LONG, TOO_MANY_STAYS, TOO_MANY_ASKED, TOO_LARGE, BAD_VALUE.
  absl::Status Judge(const RecordType& type, const Id& id, absl::string_view before,
                     absl::string_view after, int64_t at_ms);

 private:
  Reader& reader_;
  int moves_ = 0;                       // stays and letters so far
  absl::flat_hash_map<Id, int> begun_;  // new stays so far, by person
};

// Adds what follows from a record that has been written; nothing where all is as it
// must be. What the server then writes may have consequences of its own: to be called
// for that as well.
absl::Status AddFlow(Reader& reader, const Schema& schema, const RecordKey& key,
                     absl::string_view before, sync::v1::Edit* edit);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FLOW_H_
