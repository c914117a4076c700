// Forms that somebody has begun and not saved, and how they like their pages.
#include "client-core/c/call.h"
#include "sync/base/reason.h"

namespace zhibu::client {
namespace {

// Far above any record's form.
constexpr size_t kSketchBytesMax = 4 << 20;

absl::StatusOr<int64_t> Keep(Store& store, api::v1::Sketch sketch) {
  RETURN_IF_ERROR(TypeIn(store, sketch.type()).status());
  const int64_t place = sketch.place();
  sketch.clear_place();  // where it is kept says it
  sketch.set_at_ms(store.environment().now_ms());
  const std::string bytes = Bytes(sketch);
  if (bytes.size() > kSketchBytesMax) return Refuse(sync::v1::TOO_LARGE, "");
  return store.KeepSketch(place, bytes);
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_sketch_keep(zhibu_handle store, zhibu_in sketch, zhibu_out* place, zhibu_out* error) {
  return OnStore(store, place, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto begun, Read<api::v1::Sketch>(sketch));
    api::v1::Place kept;
    ASSIGN_OR_RETURN(const int64_t at, Keep(open, begun));
    kept.set_place(at);
    return Bytes(kept);
  });
}

int32_t zhibu_sketches(zhibu_handle store, zhibu_out* sketches, zhibu_out* error) {
  return OnStore(store, sketches, error, [](Store& open) -> Answer {
    api::v1::Sketches told;
    RETURN_IF_ERROR(open.ListSketches([&](int64_t place, const std::string& bytes) {
      api::v1::Sketch& sketch = *told.add_sketches();
      // What a newer app kept and this one cannot read can still be dropped.
      sketch.ParseFromString(bytes);
      sketch.set_place(place);
    }));
    return Bytes(told);
  });
}

int32_t zhibu_sketch_drop(zhibu_handle store, zhibu_in place, zhibu_out* error) {
  return OnStore(store, nullptr, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto at, Read<api::v1::Place>(place));
    return Done(open.DropSketch(at.place()));
  });
}

int32_t zhibu_preferences(zhibu_handle store, zhibu_out* preferences, zhibu_out* error) {
  return OnStore(store, preferences, error, [](Store& open) { return open.Preferences(); });
}

int32_t zhibu_preferences_keep(zhibu_handle store, zhibu_in preferences, zhibu_out* error) {
  return OnStore(store, nullptr, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto liked, Read<api::v1::Preferences>(preferences));
    return Done(open.KeepPreferences(Bytes(liked)));
  });
}
