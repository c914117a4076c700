#include "server/store/store.h"

#include "sync/base/status.h"

namespace zhibu::server {

absl::StatusOr<std::optional<KnownDevice>> Reader::FindDevice(DeviceNumber number) {
  ASSIGN_OR_RETURN(const std::optional<DeviceRow> row, GetDevice(number));
  if (!row) return std::nullopt;
  return KnownDevice{row->public_key, row->person, row->record, row->name, row->revoked()};
}

}  // namespace zhibu::server
