// Edits that wait for somebody who has authority now, as records (HeldEdit).
//
//   a held edit lies with those who could make it themselves, also once its records have
//   moved: what is home's to decide no host returns, and the other way round
#ifndef ZHIBU_SERVER_AUTHORITY_HELD_H_
#define ZHIBU_SERVER_AUTHORITY_HELD_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/store.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// So many edits of one device may wait, and so many bytes: what is kept for it. And so many
// for one organisation: what its secretary has to look through.
inline constexpr int64_t kHeldEditsMax = 1000;
inline constexpr int64_t kHeldBytesMax = 4 << 20;
inline constexpr int64_t kHeldForOneMax = 5000;
// Each may be merged in vain so often; then it can but be returned.
inline constexpr int64_t kTriesMax = 20;

// Whether the edit in `row`, of the device with this record, may wait as well.
absl::StatusOr<bool> HasRoom(Reader& reader, const Schema& schema, const AuditRow& row,
                             const Id& device_record);

// Adds the record of the edit in `row`, which has been held, for those who act for the
// branches that it touches and for its author; nothing where the edit decides on another,
// or the record is there already.
absl::Status AddHeld(Writer& writer, const Schema& schema, const AuditRow& row, const Id& author,
                     const Id& device_record, sync::v1::Edit* own);

// Whether the edit decides on others.
bool DecidesOnHeld(const sync::v1::Edit& edit);

// That a change of a record, from one body to another, decides on an edit that waited.
struct HeldDecision {
  DeviceNumber device;
  EditNumber number;
  bool taken = false;  // false: returned
};
std::optional<HeldDecision> HeldDecisionIn(const RecordKey& key, absl::string_view before,
                                           absl::string_view after);

// It has been decided on: there is room again. `held`: the body of its record before that.
absl::Status CountDecided(Writer& writer, absl::string_view held, size_t bytes,
                          const Id& device_record);

// How often somebody has tried to take the edit with this record in vain. STEP_NOT_ALLOWED:
// as often as may be.
absl::Status CheckTries(Reader& reader, const Id& held);
absl::Status CountTry(Writer& writer, const Id& held);

// The record `key` lies elsewhere now: adds to `own` what takes along the edits that wait
// to change it.
absl::Status MoveHeld(Writer& writer, const Schema& schema, const RecordKey& key,
                      sync::v1::Edit* own);

// What has become of the edit with these bytes, which was held.
enum class HeldFate { kWaits, kTaken, kReturned };
absl::StatusOr<HeldFate> HeldFateOf(Reader& reader, absl::string_view edit);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_AUTHORITY_HELD_H_
