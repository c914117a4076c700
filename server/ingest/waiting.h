// What an edit builds on, and which edits wait for somebody to decide on them.
//
//   an edit builds on own edits that are in, or it waits with them, or goes back with them
//
// How a waiting edit lies as a record is said in server/authority/held.h.
#ifndef ZHIBU_SERVER_INGEST_WAITING_H_
#define ZHIBU_SERVER_INGEST_WAITING_H_

#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/ingest/chains.h"
#include "server/ingest/known_offices.h"
#include "server/ingest/passage.h"
#include "server/ingest/work.h"

namespace zhibu::server {

// Of a refusal: the edit waits.
bool IsHeld(sync::v1::Reason reason);

class Waiting {
 public:
  // All stay until the end.
  Waiting(const Work& work, Chains& chains, KnownOffices& offices)
      : work_(work), chains_(chains), offices_(offices) {}

  // BUILDS_ON_HELD, BUILDS_ON_RETURNED: an edit on top of an own one that is not in cannot
  // be taken either.
  absl::Status CheckFoundations(const AuditRow& row);

  // Before anything of it is merged: what it builds on is in, and its device in service.
  // What is to wait, waits only where its author has, or once had, a right to it, and for
  // what is not there yet, where what it builds on makes it: who is held learns where a
  // record lies, or that there is one.
  absl::Status MayBeJudged(const Passage& passage, const Staging& staging);

  // The versions of what the same device made after the edit in the row, and has in.
  absl::StatusOr<absl::flat_hash_set<Version>> MadeAfter(const AuditRow& row);

 private:
  absl::Status CheckTaken(DeviceNumber device, EditNumber number);
  absl::StatusOr<std::set<RecordKey>> HeldBelow(const AuditRow& row);
  absl::StatusOr<bool> HasRight(const Passage& passage, const sync::v1::Change& change,
                                const Staged& staged);

  const Work work_;
  Chains& chains_;
  KnownOffices& offices_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_WAITING_H_
