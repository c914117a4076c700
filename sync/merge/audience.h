// What of a record somebody may see and change, by the offices that they have where
// it lies.
//
//   what a device holds of a record = the record without what HiddenFrom its eyes
#ifndef ZHIBU_SYNC_MERGE_AUDIENCE_H_
#define ZHIBU_SYNC_MERGE_AUDIENCE_H_

#include <cstdint>
#include <vector>

#include "sync/merge/state.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// The offices that count in a place of that kind: in the scope of a person they are
// themselves (SELF) and nothing else, in that of an organisation they act for it.
inline uint32_t CountingIn(Place place, uint32_t offices) {
  return place == PERSON ? offices & AudienceOf(SELF) : offices & ~AudienceOf(SELF);
}

// As whom somebody sees a record that lies in these places. `offices_in` gives the set
// of offices that they have in a scope.
template <typename OfficesIn>
Eyes EyesOn(const std::vector<Placed>& places, const OfficesIn& offices_in) {
  Eyes eyes;
  for (const Placed& placed : places) {
    (placed.place == GUEST ? eyes.as_host : eyes.at_home) |=
        CountingIn(placed.place, offices_in(placed.scope));
  }
  return eyes;
}

// Whether the change sets the field, or takes anything out of it.
bool Touches(const sync::v1::Change& change, uint32_t field);

// Sets of RecordType::restricted. `at_host`: HostSightOf the record.
uint64_t HiddenFrom(const RecordType& type, const Eyes& eyes, HostSight at_host);
uint64_t NotWritableBy(const RecordType& type, const Eyes& eyes, HostSight at_host);
uint64_t WrittenBy(const RecordType& type, const sync::v1::Change& change);
uint64_t SensitiveIn(const RecordType& type, absl::string_view body);

// Takes the fields of the set out of the record, and out of all that is remembered of
// it: what is left is what it would be, had nobody ever changed them. (A field that only
// some may read is special: a server that does not know it does not take it.)
void Redact(const RecordType& type, uint64_t hidden, RecordState* state);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_MERGE_AUDIENCE_H_
