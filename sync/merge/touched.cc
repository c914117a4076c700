#include "sync/merge/touched.h"

#include <algorithm>

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

bool SawAny(const RecordState& state, DeviceNumber device, Version base) {
  const auto saw = [&](const Touch& touch) {
    return touch.version <= base || touch.writer == device;
  };
  sync::v1::Trace trace;
  trace.ParseFromString(state.trace);
  if (saw(state.touch) || (trace.has_rest() && saw(merging::Read(trace.rest())))) return true;
  return std::any_of(trace.former_lives().begin(), trace.former_lives().end(),
                     [&](const sync::v1::FormerLife& life) {
                       return saw(merging::Read(life.touch())) ||
                              (life.trace().has_rest() && saw(merging::Read(life.trace().rest())));
                     });
}

}  // namespace zhibu
