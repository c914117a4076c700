#include "client-core/store/confirmed_lookup.h"

namespace zhibu::client {

absl::StatusOr<RecordState> ConfirmedLookup::GetRecord(const RecordKey& key) {
  if (tables_.LastPending() || tables_.AnyStale()) return NotKnownHere();
  RecordState confirmed = tables_.GetRecord(key).confirmed;
  if (!confirmed.exists) return NotKnownHere();
  return confirmed;
}

absl::StatusOr<RecordState> ConfirmedLookup::GetShown(const RecordKey& key) {
  Tables::Record record = tables_.GetRecord(key);
  if (!record.shown().exists) return NotKnownHere();
  return record.shown();
}

absl::Status ConfirmedLookup::ListRecords(
    uint32_t /*type*/, std::optional<Id> /*scope*/,
    absl::FunctionRef<void(const Id&, const RecordState&)> /*visit*/) {
  return NotKnownHere();
}

absl::Status ConfirmedLookup::ListShown(
    uint32_t type, const Id& /*scope*/,
    absl::FunctionRef<void(const Id&, const RecordState&)> visit) {
  tables_.ListRecords(type, [&](const Id& id, const absl::StatusOr<Tables::Record>& record) {
    // One that is damaged is not known, and stops nobody.
    if (record.ok() && record->shown().alive()) visit(id, record->shown());
    return true;
  });
  return absl::OkStatus();
}

absl::StatusOr<bool> ConfirmedLookup::EverIn(const Id& /*scope*/, const RecordKey& /*key*/) {
  return NotKnownHere();
}

absl::StatusOr<std::vector<Id>> ConfirmedLookup::FindMarked(absl::string_view /*mark*/,
                                                            size_t /*most*/) {
  return NotKnownHere();
}

absl::StatusOr<std::optional<KnownDevice>> ConfirmedLookup::FindDevice(DeviceNumber /*number*/) {
  return NotKnownHere();
}

absl::StatusOr<std::string> ConfirmedLookup::GetSetting(absl::string_view /*name*/) {
  return NotKnownHere();
}

}  // namespace zhibu::client
