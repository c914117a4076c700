#include "sync/merge/touched.h"

#include "sync/merge/frontier.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu {

Touch LastTouchOf(const RecordState& state, uint32_t field) {
  sync::v1::Trace trace;
  trace.ParseFromString(state.trace);
  for (const sync::v1::FieldTrace& one : trace.fields()) {
    if (one.field() == field) return one.has_touch() ? merging::Read(one.touch()) : state.touch;
  }
  return trace.has_rest() ? merging::Read(trace.rest()) : state.touch;
}

}  // namespace zhibu
