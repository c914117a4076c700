// What a device is charged for, all of it counted in ordinary edits (server/sessions/limits.h,
// edits_per_second): bytes as they come, work once it is known.
#ifndef ZHIBU_SERVER_SESSIONS_CHARGE_H_
#define ZHIBU_SERVER_SESSIONS_CHARGE_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

// What an edit keeps beside what each keeps; what its sender has that this build does not know is
// not kept (Session).
inline size_t BytesKept(const sync::v1::NumberedEdit& edit) {
  return edit.edit().size() + static_cast<size_t>(edit.builds_on_size()) * sizeof(uint64_t);
}

// As it is read.
constexpr int64_t EditsFor(size_t bytes) { return 1 + static_cast<int64_t>(bytes / 4096); }

// Beyond that, once it has been written: an ordinary edit is about 12 units of work
// (Result::work).
constexpr int64_t EditsBeyond(size_t bytes, uint64_t work) {
  return std::max(int64_t{0}, static_cast<int64_t>(work / 12) - EditsFor(bytes));
}

// A question, or another reading of what the device has read before.
constexpr int64_t EditsFor(std::chrono::nanoseconds processor) {
  return processor / std::chrono::microseconds(250);
}

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_CHARGE_H_
