// An edit on its way into the records, and the records as it leaves them, before any of it
// is written.
//
//   the author    made it: the rules and the order of the merge are about them
//   the decider   has the authority: the author, or whoever took what was held
//   the composer  is the server, whose own edits nobody is asked for
#ifndef ZHIBU_SERVER_INGEST_PASSAGE_H_
#define ZHIBU_SERVER_INGEST_PASSAGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/ingest/work.h"
#include "server/store/store.h"
#include "sync/merge/merge.h"
#include "sync/rules/rule.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

struct Passage {
  const sync::v1::Edit& edit;
  AuditRow& row;  // as far as it is known: device, author, stamp, edit
  Id author;      // the person; empty: composed
  Id decider;     // the person
  // What of Change::base is believed: no more than had been sent to the device.
  Version seen_up_to;
  // Of an edit that waited: what its device made after it.
  const absl::flat_hash_set<Version>* made_later = nullptr;

  bool composed() const { return row.author == kServerDevice; }
};

// A record as the edit leaves it.
struct Staged {
  const RecordType* type = nullptr;
  std::vector<Placed> before;
  std::string body_before;
  RecordState was;
  RecordState state;
  Outcome outcome;
  absl::Status hidden;  // why it is not its maker's (Merging::HideUnseen)
  std::optional<Loan> loan;
  const sync::v1::Change* change = nullptr;  // the only one
};
using Staging = std::map<RecordKey, Staged>;

// A change that has been checked, so that its id is one.
inline RecordKey KeyOf(const sync::v1::Change& change) {
  return {change.type(), *Id::FromBytes(change.id())};
}

// As the rules see it. What they are made of stays until they are gone.
Step StepOf(const Work& work, const Passage& passage, const RecordKey& key, const Staged& staged);
std::vector<Step> StepsOf(const Work& work, const Passage& passage, const Staging& staging);
Case CaseOf(const Work& work, const Passage& passage, absl::Span<const Step> steps);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_PASSAGE_H_
