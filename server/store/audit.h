// What the store keeps of every answered edit, in a chain for each device.
#ifndef ZHIBU_SERVER_STORE_AUDIT_H_
#define ZHIBU_SERVER_STORE_AUDIT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu::server {

// One answered edit. Never changed, never removed.
struct AuditRow {
  DeviceNumber device;  // in whose chain it stands
  EditNumber number;
  int64_t received_ms = 0;
  Stamp stamp;
  std::string edit;  // the Edit as it came
  sync::v1::Answer answer;
  Version version;      // 0 unless merged
  std::string chain;    // hash over the device's previous chain value and this row
  int64_t made_ms = 0;  // the edit's device_time_ms; 0 where it cannot be read

  // The device that made it: kServerDevice where the server has composed it, whichever of its
  // chains it stands in. Else it is `device`, but for a held edit that somebody has taken: that
  // stands in a chain of the server's, and `decided_by` says who took it.
  DeviceNumber author;
  Id decided_by;
  // As they came beside the edit (sync.v1.NumberedEdit).
  std::vector<uint64_t> builds_on;
  bool withdrawn = false;
  // The highest version that had been sent to the device: see Submitted::sent. 0: unknown.
  Version sent;
  // Of each change the base that was believed; empty: what the edit says.
  std::vector<uint64_t> bases;
  // It cannot be read: `edit`, `answer` and what stands beside them are empty.
  bool damaged = false;
};

// What a device is told of an edit. Where the answer cannot be read it says no more than
// the verdict.
struct Answered {
  EditNumber number;
  sync::v1::Answer answer;  // with the link
  Version version;
};

// What is known of an answered edit without opening it.
struct Verdict {
  sync::v1::Verdict verdict = sync::v1::VERDICT_UNSPECIFIED;
  uint64_t link = 0;  // LinkTo the edit
};

class AuditReader {
 public:
  virtual ~AuditReader() = default;

  virtual absl::StatusOr<std::optional<AuditRow>> GetAudit(DeviceNumber device,
                                                           EditNumber number) = 0;
  // Costs the same whatever the size of the edit.
  virtual absl::StatusOr<std::optional<Verdict>> GetVerdict(DeviceNumber device,
                                                            EditNumber number) = 0;
  // The hash of the device's chain after this edit; the edit is not looked at.
  virtual absl::StatusOr<std::optional<std::string>> GetChain(DeviceNumber device,
                                                              EditNumber number) = 0;
  virtual absl::StatusOr<std::optional<Answered>> GetAnswered(DeviceNumber device,
                                                              EditNumber number) = 0;
  // Ascending by number, until `visit` returns false.
  virtual absl::Status ReadAnswered(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<bool(const Answered&)> visit) = 0;
  // The first row that has this edit, under whatever number it came.
  virtual absl::StatusOr<std::optional<AuditRow>> FindEdit(int64_t made_ms,
                                                           absl::string_view edit) = 0;
  // Ascending by number, damaged ones too. What the server has composed stands in chains of its
  // own (DeviceRow::of_server).
  virtual absl::Status ReadAudit(DeviceNumber device, EditNumber after,
                                 absl::FunctionRef<bool(const AuditRow&)> visit) = 0;
  // The versions of the device's edits past `after` that are merged, also those that were held and
  // somebody has taken since; their edits are not looked at.
  virtual absl::Status ReadVersions(DeviceNumber device, EditNumber after,
                                    absl::FunctionRef<void(Version)> visit) = 0;
};

class AuditWriter {
 public:
  virtual ~AuditWriter() = default;

  // ALREADY_EXISTS where (device, number) is there.
  virtual absl::Status AppendAudit(const AuditRow& row) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_AUDIT_H_
