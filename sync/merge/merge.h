// The merge: one edit's change applied to one record. Pure.
//
//   state after = Apply(state before, change)
//
// Laws, each a property test (tests/sync/merge_laws_test.cc):
//   order        for every policy but FIRST, FORWARD and SERVER, every order in
//                which the edits of n devices can arrive gives the same record
//   nothing lost a value that was written stands in the record, in a conflict
//                of the outcome, or was overwritten by someone who had seen it
//   view         applying a device's pending edits to what the server last said
//                gives what the server will say, had nobody else written
//
// A deletion takes away what its author had seen. What was changed unseen keeps
// the record (or the element of a BY_KEY field) alive, and all of it. Made anew by
// someone who saw it gone, it starts empty; should a change to what was there
// before arrive after that, from someone who knew of neither, old and new are one.
//
// What is excluded: an edit must be applied once (callers know edits by device
// and number), and the edits of one device in their order.
#ifndef ZHIBU_SYNC_MERGE_MERGE_H_
#define ZHIBU_SYNC_MERGE_MERGE_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// Two writes, neither of whose authors had seen the other.
struct Conflict {
  enum class Kind { kOverwritten, kOpenQuestion, kKeptFromDeletion };

  Kind kind = Kind::kOverwritten;
  // "place", "resolutions[2].text"; empty for the record itself.
  std::string path;
  const FieldRule* rule = nullptr;  // null: unknown field, or the record itself
  std::string kept;                 // as on the wire, tag included; empty: no value
  std::string lost;
  Touch kept_touch;
  Touch lost_touch;
};

// A write that stood open under ASK and has been settled.
struct Settled {
  std::string path;
  Touch touch;
};

struct Outcome {
  std::vector<Conflict> conflicts;
  std::vector<Settled> settled;
  // What has been merged into lives that are over (sync/merge/lives.h, kFollowedBytesMax): carried
  // from one change of an edit to the next.
  size_t followed_bytes = 0;
};

// Who makes the change: `version` is kPendingVersion on the device.
struct Origin {
  DeviceNumber device;
  Version version;
  Stamp stamp;
  // A write that stands there with a later stamp than this is of a clock that was wrong: it
  // loses to what was written without having seen it.
  Stamp latest = Stamp(std::numeric_limits<uint64_t>::max());
  // What of Change::base is believed.
  Version base_max = kPendingVersion;
  // Of an edit that waited for a decision: the versions of what its device made after it,
  // which its author had not seen. Must outlive the call; null: nothing.
  const absl::flat_hash_set<Version>* made_later = nullptr;
};

// Adds to `outcome`. On an error (a Refuse status) both are as before. The change must be well
// formed (CheckChange). `type` may be null: every field merges as LATEST.
absl::Status Apply(const RecordType* type, const sync::v1::Change& change, const Origin& origin,
                   RecordState* state, Outcome* outcome);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_MERGE_MERGE_H_
