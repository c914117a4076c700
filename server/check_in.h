// What the server makes of the code that a member has scanned (docs/check-in.md):
// a code that cannot be true sends the edit back, one that may be true is taken,
// and marked where something about it is odd.
#ifndef ZHIBU_SERVER_CHECK_IN_H_
#define ZHIBU_SERVER_CHECK_IN_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/authority.h"
#include "server/store/store.h"
#include "sync/schema.h"
#include "sync/state.h"
#include "sync/types.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// Of one code. Without marks it is verified.
struct CheckInFinding {
  Id branch;                          // whose activity it is
  std::optional<int64_t> scanned_ms;  // where the clocks can be trusted
  std::vector<records::v1::CheckIn::Mark> marks;
};

// Of the code that a change adds to a check-in; nothing where it adds none, or is
// of another type. `body` is the record as the change leaves it, `author` whoever
// made the change, at `scanned_ms` by the stamp that it came with.
absl::StatusOr<std::optional<CheckInFinding>> JudgeCheckIn(Reader& reader,
                                                           const sync::v1::Change& change,
                                                           absl::string_view body, const Id& author,
                                                           int64_t scanned_ms, int64_t now_ms);

// Adds what writes the finding into the record; nothing where it is gone, or stands
// as well already.
void AddFinding(const RecordType& type, const Id& id, const RecordState& state,
                const CheckInFinding& finding, sync::v1::Edit* edit);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_CHECK_IN_H_
