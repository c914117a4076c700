// Making a device known, noting when it is seen, and putting it out of service.
//
// A row says what a session must know; the record tells the owner the same:
//
//   record = what the owner calls it + the row's standing + when it was seen, to a day
#ifndef ZHIBU_SERVER_IDENTITY_ENROLMENT_H_
#define ZHIBU_SERVER_IDENTITY_ENROLMENT_H_

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "server/ingest/ingest.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

// As the record tells it.
records::v1::Device::State StateOf(DeviceRow::Standing standing);

// What is refused before a code is used up for it: BAD_VALUE where the public key is none,
// MISSING_FIELD, TOO_LARGE, BAD_VALUE: its name is not as a Device's may be.
absl::Status CheckEnrolment(const Schema& schema, const sync::v1::EnrolRequest& request);

// The device of `person` with the key of the request, its row and its record; the one
// that is there, if the key is known: it comes again because a restored server has
// forgotten it or has moved, or to be authenticated, and was seen now. One that was revoked
// stays so: under its number it is given its row, to be told and to hand over its work by; else
// DEVICE_REVOKED. KEY_OF_ANOTHER: it is another person's.
absl::StatusOr<DeviceRow> EnrolDevice(Writer& writer, Ingest& ingest,
                                      const Environment& environment, const Id& person,
                                      const sync::v1::EnrolRequest& request);

// Under every number that the device has gone by: it still has the key of each.
// `standing`: kRevoked or kLost; one that is further along stays as it is.
// NOT_FOUND: there is no such device.
absl::Status RevokeDevice(Writer& writer, Ingest& ingest, const Environment& environment,
                          DeviceNumber number, DeviceRow::Standing standing);

// Notes when each of these devices was last in contact; in the records of those that
// have not been for a day, or whose standing has changed, as well.
absl::Status NoteSeen(Writer& writer, Ingest& ingest,
                      const absl::flat_hash_map<DeviceNumber, int64_t>& seen_ms);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_IDENTITY_ENROLMENT_H_
