// What a record says of itself: where it lies, what its id must be, and whether
// it is as its type declares. The same code refuses a bad record on the device
// and on the server.
#ifndef ZHIBU_SYNC_WIRE_RECORD_H_
#define ZHIBU_SYNC_WIRE_RECORD_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// The most that one edit may hold; refused at the device and by the server.
inline constexpr size_t kEditBytesMax = 1 << 20;
inline constexpr int kChangesMax = 1000;
// The most that a record may hold once an edit is merged, with what the merge
// remembers of it.
inline constexpr size_t kRecordBytesMax = 2 << 20;
// Of that, in fields that this build does not know (UnknownBytes): room for what a newer app
// adds, and not for what is hidden from everybody.
inline constexpr size_t kUnknownBytesMax = 16 << 10;

// Of one repeated field, at any depth: more than there are in any hall, and few enough to be
// merged, judged and shown one by one.
inline constexpr size_t kElementsMax = 5000;

// TOO_LARGE by either; `bytes`: of the edit.
absl::Status CheckEditSize(size_t bytes, const sync::v1::Edit& edit);

struct Placed {
  Id scope;
  Place place = NOWHERE;

  friend auto operator<=>(const Placed&, const Placed&) = default;
};

// The id of the record of a held edit: by what it is, under whatever number it came.
Id HeldId(absl::string_view edit);

// The scopes that a record lies in, by its own fields; each once, ascending.
std::vector<Placed> PlacesOf(const RecordType& type, const Id& id, absl::string_view body);

// How much of a record those see who see it as a host only: as its state says, unless the
// host has taken it.
HostSight HostSightOf(const RecordType& type, absl::string_view body);

// Who may read a record: the readers of its type, and where it reads as another type,
// or as a field of that, the readers of those as well. Hosts where its state shows it to them.
Eyes ReadersOf(const Schema& schema, const RecordType& type, absl::string_view body);

// For a type with id_from: the id that the body's fields make. INVALID_ARGUMENT
// (MISSING_FIELD) while one of them is empty.
absl::StatusOr<Id> DeriveId(const RecordType& type, absl::string_view body);

// Refuses a change that no state could accept: one that is not in the one spelling of
// what it says (sync/wire/canonical.h), that takes away what cannot be there or what it sets
// as well, that says nothing, that changes what identifies the record. Run before Apply;
// the bytes of the whole Edit are for CheckCanonicalMessage.
absl::Status CheckChange(const Schema& schema, const sync::v1::Change& change);

// Refuses a record that is not as declared: a required field empty, a format
// not kept, an id that its fields do not make. Run after Apply.
absl::Status CheckRecord(const RecordType& type, const Id& id, absl::string_view body);

// TOO_LARGE where a change leaves more than kUnknownBytesMax of what this build does not
// know, unless there was as much before. Run after Apply, at the device as well.
absl::Status CheckUnknown(const RecordType& type, absl::string_view before,
                          absl::string_view after);

// TOO_LARGE where a change leaves a field with more than kElementsMax elements, unless there were
// as many before. Run after Apply, at the device as well.
absl::Status CheckElements(const RecordType& type, absl::string_view before,
                           absl::string_view after);

// TOO_LARGE where an author's edit leaves a record that holds more than it may.
absl::Status CheckRecordSize(const RecordType& type, absl::string_view body,
                             absl::string_view trace);

// The value of one field, as on the wire, in protobuf's JSON form: "\"礼堂\"".
// Bytes of a field that this build does not know are given in base64.
std::string JsonOf(const FieldRule* rule, absl::string_view raw);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_RECORD_H_
