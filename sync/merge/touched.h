// Who last wrote a field of a record, and who can have seen it, as its trace remembers it.
//
//   LastTouchOf(state, 3).writer == kServerDevice   // the value is the server's own
//   SawAny(state, device, base)                     // they know that it was there once
#ifndef ZHIBU_SYNC_MERGE_TOUCHED_H_
#define ZHIBU_SYNC_MERGE_TOUCHED_H_

#include <cstdint>

#include "sync/merge/state.h"

namespace zhibu {

// `field`: the number of a field that is in no oneof. Of one that is empty, who emptied it;
// where nobody did, who made the record.
Touch LastTouchOf(const RecordState& state, uint32_t field);

// Whether `device`, which has seen all up to `base` and what it wrote itself, can have seen the
// record, in this life or in one before.
bool SawAny(const RecordState& state, DeviceNumber device, Version base);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_MERGE_TOUCHED_H_
