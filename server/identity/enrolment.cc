#include "server/identity/enrolment.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/own_edit.h"
#include "sync/wire/canonical.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;

using records::v1::Device;

namespace {

// Each costs what an edit costs, and everybody syncs on the same day.
constexpr int64_t kSeenEveryMs = int64_t{24} * 3600 * 1000;

// Adds to `edit` what makes the record say what the row says.
absl::Status Follow(Reader& reader, const Schema& schema, const DeviceRow& row,
                    sync::v1::Edit* edit) {
  const RecordType& type = *schema.Find(Device::descriptor());
  const absl::StatusOr<RecordState> stored = reader.GetRecord({type.number, row.record});
  // That of one device stops no other.
  if (IsDamagedRow(stored.status())) return absl::OkStatus();
  ASSIGN_OR_RETURN(const RecordState before, stored);
  Device device;
  if (!before.alive() || !device.ParseFromString(before.body)) return absl::OkStatus();
  const Device::State state = StateOf(row.standing);
  const int64_t known_ms = TimeUtil::TimestampToMilliseconds(device.last_seen());
  if (device.state() == state && row.last_seen_ms - known_ms < kSeenEveryMs) {
    return absl::OkStatus();
  }
  device.set_state(state);
  *device.mutable_last_seen() =
      TimeUtil::MillisecondsToTimestamp(std::max(row.last_seen_ms, known_ms));
  AddChange(type, row.record, before, device, edit);
  return absl::OkStatus();
}

absl::Status WriteOwn(Writer& writer, Ingest& ingest, const sync::v1::Edit& edit) {
  if (edit.changes().empty()) return absl::OkStatus();
  return ingest.WriteOwn(writer, edit).status();
}

// Of the numbers that the device has gone by, the one that it says; else the first.
absl::StatusOr<std::optional<DeviceRow>> FindKnown(Reader& reader, const Id& person,
                                                   const sync::v1::EnrolRequest& request) {
  std::optional<DeviceRow> found;
  ASSIGN_OR_RETURN(const std::vector<DeviceRow> rows, reader.DevicesWithKey(request.public_key()));
  for (const DeviceRow& row : rows) {
    // The device of one person, with the code of another.
    if (row.person != person) return Refuse(sync::v1::KEY_OF_ANOTHER, "");
    if (!found || row.number.value == request.device()) found = row;
  }
  return found;
}

}  // namespace

Device::State StateOf(DeviceRow::Standing standing) {
  switch (standing) {
    case DeviceRow::Standing::kActive:
      return Device::ACTIVE;
    case DeviceRow::Standing::kRevoked:
      return Device::REVOKED;
    case DeviceRow::Standing::kLost:
      return Device::LOST;
    case DeviceRow::Standing::kWiped:
      return Device::WIPED;
  }
  return Device::STATE_UNSPECIFIED;
}

absl::Status CheckEnrolment(const Schema& schema, const sync::v1::EnrolRequest& request) {
  if (!IsPublicKey(request.public_key())) {
    return Refuse(sync::v1::BAD_VALUE, "public_key: Ed25519");
  }
  if (request.device_name().empty()) return Refuse(sync::v1::MISSING_FIELD, "device_name");
  Device device;
  device.set_name(request.device_name());
  return CheckCanonical(schema.Find(Device::descriptor())->fields, device.SerializeAsString(),
                        "Device");
}

absl::StatusOr<DeviceRow> EnrolDevice(Writer& writer, Ingest& ingest,
                                      const Environment& environment, const Id& person,
                                      const sync::v1::EnrolRequest& request) {
  const int64_t now = environment.now_ms();
  ASSIGN_OR_RETURN(std::optional<DeviceRow> known, FindKnown(writer, person, request));
  if (known) {
    // One that no longer finds the server is told there that it was revoked, and hands over what
    // it has not sent.
    const bool goes_on = known->number.value == request.device();
    if (known->revoked() && goes_on) return *std::move(known);
    if (known->revoked()) return Refuse(sync::v1::DEVICE_REVOKED, known->name);
    RETURN_IF_ERROR(NoteSeen(writer, ingest, {{known->number, now}}));
    known->last_seen_ms = now;
    return *std::move(known);
  }
  DeviceRow row;
  ASSIGN_OR_RETURN(row.number, writer.NextDevice());
  row.public_key = request.public_key();
  row.person = person;
  row.record = environment.NewId();
  row.name = request.device_name();
  row.enrolled_ms = row.last_seen_ms = now;
  RETURN_IF_ERROR(writer.PutDevice(row));
  Device device;
  device.set_person_id(person.str());
  device.set_number(row.number.value);
  device.set_name(row.name);
  *device.mutable_enrolled() = TimeUtil::MillisecondsToTimestamp(now);
  *device.mutable_last_seen() = device.enrolled();
  device.set_state(Device::ACTIVE);
  sync::v1::Edit edit;
  AddChange(*ingest.schema().Find(Device::descriptor()), row.record, RecordState(), device, &edit);
  RETURN_IF_ERROR(WriteOwn(writer, ingest, edit));
  return row;
}

absl::Status RevokeDevice(Writer& writer, Ingest& ingest, const Environment& environment,
                          DeviceNumber number, DeviceRow::Standing standing) {
  ASSIGN_OR_RETURN(std::optional<DeviceRow> row, writer.GetDevice(number));
  if (!row || row->of_server()) {
    return absl::NotFoundError(absl::StrCat("there is no device ", number.value));
  }
  ASSIGN_OR_RETURN(std::vector<DeviceRow> rows, writer.DevicesWithRecord(row->record));
  for (DeviceRow& copy : rows) {
    copy.standing = std::max(copy.standing, standing);
    RETURN_IF_ERROR(writer.PutDevice(copy));
    if (copy.number == number) row = copy;
  }
  const RecordType& type = *ingest.schema().Find(Device::descriptor());
  ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({type.number, row->record}));
  Device device;
  device.ParseFromString(before.body);
  if (!device.has_revoked())
    *device.mutable_revoked() = TimeUtil::MillisecondsToTimestamp(environment.now_ms());
  device.set_state(StateOf(row->standing));
  sync::v1::Edit edit;
  AddChange(type, row->record, before, device, &edit);
  return WriteOwn(writer, ingest, edit);
}

absl::Status NoteSeen(Writer& writer, Ingest& ingest,
                      const absl::flat_hash_map<DeviceNumber, int64_t>& seen_ms) {
  sync::v1::Edit edit;
  absl::flat_hash_set<Id> followed;  // an edit changes a record once
  for (const auto& [number, at_ms] : seen_ms) {
    ASSIGN_OR_RETURN(std::optional<DeviceRow> row, writer.GetDevice(number));
    if (!row) continue;
    row->last_seen_ms = std::max(row->last_seen_ms, at_ms);
    RETURN_IF_ERROR(writer.PutDevice(*row));
    if (!followed.insert(row->record).second) continue;
    RETURN_IF_ERROR(Follow(writer, ingest.schema(), *row, &edit));
  }
  return WriteOwn(writer, ingest, edit);
}

}  // namespace zhibu::server
