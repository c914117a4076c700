#include "server/store/store.h"

#include "sync/base/status.h"

namespace zhibu::server {

absl::StatusOr<std::optional<KnownDevice>> Reader::FindDevice(DeviceNumber number) {
  ASSIGN_OR_RETURN(const std::optional<DeviceRow> row, GetDevice(number));
  if (!row) return std::nullopt;
  return KnownDevice{row->public_key, row->person, row->record, row->name, row->revoked()};
}

absl::Status PutMarks(Writer& writer, const Marks& marks) {
  for (const auto& [mark, on] : marks.drop) RETURN_IF_ERROR(writer.DeleteMark(mark, on));
  for (const auto& [mark, on] : marks.put) RETURN_IF_ERROR(writer.PutMark(mark, on));
  return absl::OkStatus();
}

}  // namespace zhibu::server
