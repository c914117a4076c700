#include "server/enrolment.h"

#include <google/protobuf/util/time_util.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/own_edit.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;

using records::v1::Device;

absl::StatusOr<DeviceRow> EnrolDevice(Writer& writer, Ingest& ingest,
                                      const Environment& environment, const Id& person,
                                      const std::string& public_key, const std::string& name,
                                      absl::flat_hash_set<Id>* moved) {
  ASSIGN_OR_RETURN(const std::vector<DeviceRow> rows, writer.ListDevices());
  for (const DeviceRow& known : rows) {
    if (known.public_key != public_key || known.person != person) continue;
    if (known.revoked) return Refuse(sync::v1::DEVICE_REVOKED, known.name);
    return known;
  }
  const int64_t now = environment.now_ms();
  DeviceRow row;
  ASSIGN_OR_RETURN(row.number, writer.NextDevice());
  row.public_key = public_key;
  row.person = person;
  row.record = environment.NewId();
  row.name = name;
  row.enrolled_ms = row.last_seen_ms = now;
  RETURN_IF_ERROR(writer.PutDevice(row));
  Device device;
  device.set_person_id(person.str());
  device.set_number(row.number.value);
  device.set_name(name);
  *device.mutable_enrolled() = TimeUtil::MillisecondsToTimestamp(now);
  device.set_state(Device::ACTIVE);
  sync::v1::Edit edit;
  AddChange(*ingest.schema().Find(Device::descriptor()), row.record, RecordState(), device, &edit);
  RETURN_IF_ERROR(ingest.WriteOwn(writer, edit, moved).status());
  return row;
}

absl::Status RevokeDevice(Writer& writer, Ingest& ingest, const Environment& environment,
                          DeviceNumber number, absl::flat_hash_set<Id>* moved) {
  ASSIGN_OR_RETURN(const std::optional<DeviceRow> row, writer.GetDevice(number));
  if (!row || number == kServerDevice) {
    return absl::NotFoundError(absl::StrCat("there is no device ", number.value));
  }
  ASSIGN_OR_RETURN(std::vector<DeviceRow> rows, writer.ListDevices());
  for (DeviceRow& copy : rows) {
    if (copy.record != row->record) continue;
    copy.revoked = true;
    RETURN_IF_ERROR(writer.PutDevice(copy));
  }
  const RecordType& type = *ingest.schema().Find(Device::descriptor());
  ASSIGN_OR_RETURN(const RecordState before, writer.GetRecord({type.number, row->record}));
  Device device;
  device.ParseFromString(before.body);
  if (!device.has_revoked())
    *device.mutable_revoked() = TimeUtil::MillisecondsToTimestamp(environment.now_ms());
  device.set_state(Device::REVOKED);
  sync::v1::Edit edit;
  if (!AddChange(type, row->record, before, device, &edit)) return absl::OkStatus();
  return ingest.WriteOwn(writer, edit, moved).status();
}

}  // namespace zhibu::server
