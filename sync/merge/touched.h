// Who last wrote a field of a record, as its trace remembers it.
//
//   LastTouchOf(state, 3).writer == kServerDevice   // the value is the server's own
#ifndef ZHIBU_SYNC_MERGE_TOUCHED_H_
#define ZHIBU_SYNC_MERGE_TOUCHED_H_

#include <cstdint>

#include "sync/merge/state.h"

namespace zhibu {

// `field`: the number of a field that is in no oneof. Of one that is empty, who emptied it;
// where nobody did, who made the record.
Touch LastTouchOf(const RecordState& state, uint32_t field);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_MERGE_TOUCHED_H_
