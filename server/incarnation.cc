#include "server/incarnation.h"

#include <algorithm>
#include <vector>

#include "sync/status.h"

namespace zhibu::server {
namespace {

constexpr size_t kIncarnationBytes = 8;
// What the new life gives lies above all that an earlier one can have given, in
// the backup or after it or in a life that was restored from the same backup: no
// scope moves this often, and devices are not enrolled as often for so long.
constexpr uint64_t kVersionsPerMs = 256;
constexpr int64_t kDevicesPerMinute = 64;
constexpr int64_t k2026Ms = 1'767'225'600'000;

}  // namespace

absl::Status EnsureIncarnation(Store& store, const Environment& environment, bool restored) {
  bool known = false;
  RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string incarnation, reader.GetSetting(kIncarnation));
    ASSIGN_OR_RETURN(const std::string copy, reader.GetSetting(kCopy));
    known = !incarnation.empty();
    restored = restored || !copy.empty();
    return absl::OkStatus();
  }));
  if (known && !restored) return absl::OkStatus();
  return store.Write([&](Writer& writer) -> absl::Status {
    if (known) {
      const int64_t now = environment.now_ms();
      RETURN_IF_ERROR(writer.RaiseCounters(
          Version(static_cast<uint64_t>(now) * kVersionsPerMs),
          DeviceNumber(static_cast<uint32_t>((now - k2026Ms) / 60'000 * kDevicesPerMinute))));
    }
    RETURN_IF_ERROR(writer.PutSetting(kIncarnation, environment.random_bytes(kIncarnationBytes)));
    return writer.PutSetting(kCopy, "");
  });
}

absl::Status BackUp(Store& store, absl::FunctionRef<absl::Status()> make_copy) {
  std::vector<DeviceRow> before;
  RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(before, reader.ListDevices());
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(make_copy());
  return store.Write([&](Writer& writer) -> absl::Status {
    for (const DeviceRow& row : before) {
      ASSIGN_OR_RETURN(auto device, writer.GetDevice(row.number));
      if (!device || device->safe_number >= row.last_number) continue;
      device->safe_number = row.last_number;
      RETURN_IF_ERROR(writer.PutDevice(*device));
    }
    return absl::OkStatus();
  });
}

}  // namespace zhibu::server
