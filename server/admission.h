// Which streams there are, and how much each device has written: what one of them
// takes is bounded, so that the others do not notice.
//
//   streams(unproven) ≤ streams_unproven_max
//   streams(device)   ≤ streams_per_device_max
//   edits(device, t)  ≤ edits_per_second × (t + kSaved)
//   edits(couriers, t) ≤ the same, for all of them together, and one bundle more
//
// A device is known here by its record, which stays the same under whatever
// numbers it goes.
#ifndef ZHIBU_SERVER_ADMISSION_H_
#define ZHIBU_SERVER_ADMISSION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/limits.h"
#include "sync/types.h"

namespace zhibu::server {

class Connection;

// Any thread may call.
class Admission {
 public:
  using Clock = std::chrono::steady_clock;
  using Stream = std::shared_ptr<Connection>;

  explicit Admission(const Limits& limits) : limits_(limits) {}

  // Each gives the stream that must end to make room, the oldest of those that
  // share the limit; null where there is room.
  Stream Arrive(const Stream& stream);
  Stream Prove(const Stream& stream, const Id& device);
  // Of one that has not proved itself the device is empty.
  void Leave(const Stream& stream, const Id& device);

  // The device has sent what counts as so many edits. Gives the time before which
  // no more should be read from it.
  Clock::time_point Charge(const Id& device, int64_t edits, Clock::time_point now);
  // Couriers are known by nothing, and share what one device may have: what they
  // bring must cost its author nothing. False while they have brought too much.
  bool MayDeliver(Clock::time_point now);
  void ChargeCouriers(int64_t edits, Clock::time_point now);

 private:
  // What a device has not used of its edits is saved up to this.
  static constexpr std::chrono::seconds kSaved{10};

  using Streams = std::vector<Stream>;  // oldest first
  struct Use {
    Streams streams;
    Clock::time_point paid_until;  // when all that it has sent will be worked off
  };

  Clock::duration CostOf(int64_t edits) const;
  static Stream Enter(const Stream& stream, int streams_max, Streams* streams);

  const Limits limits_;
  absl::Mutex mutex_;
  Streams unproven_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Id, Use> devices_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point couriers_paid_until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_ADMISSION_H_
