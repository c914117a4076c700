// Making a device known, and stopping one.
#ifndef ZHIBU_SERVER_ENROLMENT_H_
#define ZHIBU_SERVER_ENROLMENT_H_

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "server/ingest.h"
#include "server/store/store.h"
#include "sync/environment.h"

namespace zhibu::server {

// The device of `person` with this key, its row and its record; the one that is
// there, if the key is known: a copy of a device that enrols again because a
// restored server has forgotten it. DEVICE_REVOKED: it was revoked.
absl::StatusOr<DeviceRow> EnrolDevice(Writer& writer, Ingest& ingest,
                                      const Environment& environment, const Id& person,
                                      const std::string& public_key, const std::string& name,
                                      absl::flat_hash_set<Id>* moved);

// Under every number that the device has gone by: it still has the key of each.
// NOT_FOUND: there is no such device.
absl::Status RevokeDevice(Writer& writer, Ingest& ingest, const Environment& environment,
                          DeviceNumber number, absl::flat_hash_set<Id>* moved);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_ENROLMENT_H_
