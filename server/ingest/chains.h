// The audit's chains: one for each device, each row hashed over the one before it.
//
//   chain(row) = Digest(chain(row before it), row)
//
// Within one transaction: what a device gave out last is read once, and written once, at its
// end. Where an edit is undone, so is what is remembered here of it (Begin, End).
#ifndef ZHIBU_SERVER_INGEST_CHAINS_H_
#define ZHIBU_SERVER_INGEST_CHAINS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/ingest/work.h"

namespace zhibu::server {

// The value that the row must carry after one that carries `before`.
std::string ChainAfter(absl::string_view before, const AuditRow& row);

// One device, as its chain stands.
struct DeviceState {
  DeviceRow row;
  std::string chain;  // of the last audit row
  uint64_t link = 0;  // to the last edit
  bool dirty = false;
  bool forked = false;  // an edit of this batch was of another copy
};

class Chains {
 public:
  explicit Chains(const Work& work) : work_(work) {}

  // UNKNOWN_DEVICE. Valid as long as this is.
  absl::StatusOr<DeviceState*> StateOf(DeviceNumber number);

  // Appends the row to the chain of `device`, as its last.
  absl::Status Record(AuditRow* row, DeviceState* device);
  // Under the next number of this process's own chain.
  absl::Status RecordInOwnChain(AuditRow* row);

  // What is recorded between them can be undone; they may be nested.
  size_t Begin();
  void End(size_t begun, bool keep);

  // The devices' last numbers, once for the whole transaction.
  absl::Status Finish();

 private:
  const Work work_;
  std::map<DeviceNumber, DeviceState> devices_;
  int attempts_ = 0;
  // What the devices were before each change, oldest first.
  std::vector<std::pair<DeviceNumber, DeviceState>> undo_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_INGEST_CHAINS_H_
